"""A version that cannot be read is rebuilt from an older one and from the changes that were recorded since."""

from collections.abc import Iterator
from copy import deepcopy

import orjson
import pytest

from tests.factories import Json, study
from watcher.core.fields import FieldTable
from watcher.core.meaning import compare
from watcher.core.privacy import is_contact_path
from watcher.core.rebuilding import bring_up_to_date
from watcher.replay.demo import build_demo_days
from watcher.tables import load_rules

TABLE = FieldTable(load_rules())
TRIAL = "NCT00000001"


def steps_of_the_demo() -> Iterator[tuple[str, Json, Json]]:
    current: dict[str, Json] = {}
    for day in build_demo_days():
        for line in day.lines:
            before = current.get(line.nct_id)
            if before is not None and line.record is not None:
                yield f"{line.nct_id} on {day.day}", before, line.record
            if line.record is not None:
                current[line.nct_id] = line.record


@pytest.mark.parametrize(
    ("before", "after"), [pytest.param(before, after, id=name) for name, before, after in steps_of_the_demo()]
)
def test_every_step_of_the_demo_can_be_gone_again(before: Json, after: Json) -> None:
    untouched = deepcopy(before)
    changes = compare(before, after, TABLE)
    rebuilt, lost = bring_up_to_date(before, changes, TABLE)

    assert before == untouched
    assert [change.path for change in lost if not is_contact_path(change.path)] == []
    differing = compare(rebuilt, after, TABLE)
    assert [change.sentence for change in differing if not is_contact_path(change.path)] == []


def test_two_steps_one_after_the_other_lead_to_the_last_version() -> None:
    versions = [
        study(TRIAL),
        study(TRIAL, status="SUSPENDED", extra={"protocolSection": {"statusModule": {"whyStopped": "Slow"}}}),
        study(TRIAL, status="RECRUITING", enrollment=None),
    ]
    recorded = [*compare(versions[0], versions[1], TABLE), *compare(versions[1], versions[2], TABLE)]
    rebuilt, lost = bring_up_to_date(versions[0], recorded, TABLE)
    assert lost == []
    assert orjson.dumps(rebuilt, option=orjson.OPT_SORT_KEYS) == orjson.dumps(versions[2], option=orjson.OPT_SORT_KEYS)


def test_a_change_that_fits_nowhere_is_given_back() -> None:
    changes = compare(study(TRIAL, enrollment=40), study(TRIAL, enrollment=50), TABLE)
    _, lost = bring_up_to_date(study(TRIAL, enrollment=None), changes, TABLE)
    assert lost == list(changes)


def test_a_contact_is_not_rebuilt_because_a_change_does_not_hold_it() -> None:
    def with_phone(phone: str) -> Json:
        contact = {"name": "Example Desk", "phone": phone}
        return study(TRIAL, extra={"protocolSection": {"contactsLocationsModule": {"centralContacts": [contact]}}})

    changes = compare(with_phone("555-0100"), with_phone("555-0101"), TABLE)
    rebuilt, lost = bring_up_to_date(with_phone("555-0100"), changes, TABLE)
    assert lost == list(changes)
    assert rebuilt == with_phone("555-0100")
