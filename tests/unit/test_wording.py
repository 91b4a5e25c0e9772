"""The sentences: what they say, and what never stands in one."""

import re
from typing import Any

import orjson
import pytest

from tests.factories import study
from tests.unit.full_records import changed, enum_values, full_record, leaf_paths, table, without
from watcher.core.meaning import compare
from watcher.core.words.phrases import LONG_TEXT
from watcher.core.words.wording import LONGEST_SENTENCE
from watcher.model import Change, Json

NCT = "NCT00000001"
HOSTILE = "a\r\nBcc: x\x1b[31m\x00\u202ecba\u2066\u2028<b>\u200b\ufeff z"
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def sentences(before: Json, after: Json) -> list[str]:
    """Return the sentences that are told, each once, in their order."""
    return list(dict.fromkeys(change.sentence for change in compare(before, after, table()) if change.told))


def with_extra(path: str, value: Json, **details: Any) -> Json:
    for key in reversed(path.split(".")):
        value = {key: value}
    return study(NCT, extra=value, **details)


STATUS_MODULE = "protocolSection.statusModule"
DESIGN = "protocolSection.designModule"
SITES = "protocolSection.contactsLocationsModule.locations"
EVENTS = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents"
VIOLATIONS = "annotationSection.annotationModule.violationAnnotation.violationEvents"
HOSPITALS = [{"facility": f"Hospital {letter}", "city": "Example City", "country": "Norway"} for letter in "ABCDE"]
POSTED = {"statusModule": {"resultsFirstPostDateStruct": {"date": "2026-02-26", "type": "ACTUAL"}}}
PROTOCOL = {"largeDocumentModule": {"largeDocs": [{"label": "Study Protocol", "filename": "Prot_000.pdf"}]}}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            study(NCT),
            with_extra(f"{STATUS_MODULE}.whyStopped", "Slow accrual", status="TERMINATED"),
            ["Study terminated: Slow accrual (Recruitment status: Recruiting → Terminated)"],
            id="a stop with its reason",
        ),
        pytest.param(
            study(NCT),
            study(NCT, status="SUSPENDED"),
            ["Study suspended: no reason given (Recruitment status: Recruiting → Suspended)"],
            id="a stop without a reason",
        ),
        pytest.param(
            study(NCT),
            with_extra(f"{STATUS_MODULE}.lastKnownStatus", "RECRUITING", status="UNKNOWN"),
            [
                (
                    "The registry now shows Unknown status (last known: Recruiting), because the record was not "
                    "verified for over 2 years (Recruitment status: Recruiting → Unknown status)"
                )
            ],
            id="the registry's own status",
        ),
        pytest.param(
            study(NCT),
            study(NCT, status="COMPLETED"),
            ["Study completed: Recruiting → Completed"],
            id="an ordinary step",
        ),
        pytest.param(
            study(NCT),
            study(NCT, status="BRAND_NEW"),
            ["Recruitment status: Recruiting → BRAND_NEW"],
            id="a status that is new to the registry, as it is",
        ),
        pytest.param(
            with_extra(f"{STATUS_MODULE}.whyStopped", "Slow accrual", status="TERMINATED"),
            with_extra(f"{STATUS_MODULE}.whyStopped", "Funding", status="TERMINATED"),
            ["Reason for stopping changed: Slow accrual → Funding"],
            id="another reason, the same status",
        ),
        pytest.param(
            study(NCT, start="2026-03"),
            study(NCT, start="2027-05"),
            ["Start date slipped 14 months: 2026-03 (actual) → 2027-05 (actual), was already reported as actual"],
            id="a date with its type",
        ),
        pytest.param(
            study(NCT, enrollment=40),
            study(NCT, enrollment=1240),
            ["Enrollment: 40 (estimated) → 1,240 (estimated), +3,000 %"],
            id="an enrolment with its type",
        ),
        pytest.param(
            study(NCT, enrollment=40),
            study(NCT, enrollment=None),
            ["Enrollment removed (was 40, estimated)"],
            id="an enrolment that goes",
        ),
        pytest.param(
            study(NCT, locations=HOSPITALS[:1]),
            study(NCT, locations=HOSPITALS),
            [
                (
                    "4 locations added: Hospital B, Example City, Norway; Hospital C, Example City, Norway; "
                    "Hospital D, Example City, Norway and 1 more"
                )
            ],
            id="many items: some named, the others counted",
        ),
        pytest.param(
            study(NCT, locations=HOSPITALS[:2]),
            study(NCT, locations=HOSPITALS[1:2]),
            ["Location removed: Hospital A, Example City, Norway"],
            id="an item that goes",
        ),
        pytest.param(
            study(NCT, locations=[{**site, "status": "RECRUITING"} for site in HOSPITALS]),
            study(NCT, locations=[{**site, "status": "COMPLETED"} for site in HOSPITALS]),
            [
                (
                    "Individual Site Status, 5 locations: Recruiting → Completed (Hospital A, Example City, Norway; "
                    "Hospital B, Example City, Norway; Hospital C, Example City, Norway and 2 more)"
                )
            ],
            id="one change at many sites is one sentence",
        ),
        pytest.param(
            study(NCT, locations=[{**HOSPITALS[0], "status": "RECRUITING"}]),
            study(NCT, locations=[{**HOSPITALS[0], "status": "WITHDRAWN"}]),
            ["Hospital A, Example City, Norway: Individual Site Status: Recruiting → Withdrawn"],
            id="a change at one site names the site",
        ),
        pytest.param(
            with_extra(f"{DESIGN}.phases", ["PHASE1", "PHASE2"]),
            with_extra(f"{DESIGN}.phases", ["PHASE2", "PHASE3"]),
            ["Study Phase: Phase 1/Phase 2 → Phase 2/Phase 3"],
            id="phases are one value",
        ),
        pytest.param(
            with_extra(f"{DESIGN}.designInfo", {"maskingInfo": {"masking": "NONE"}}),
            with_extra(f"{DESIGN}.designInfo", {"maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT"]}}),
            ["Masking: None (Open Label) → Double (Participant)"],
            id="who is masked stands beside the masking",
        ),
        pytest.param(
            study(NCT, title="short"),
            study(NCT, title="long " * 40),
            ["Brief Title reworded (+40/−1 words)"],
            id="a long text is not quoted",
        ),
        pytest.param(
            study(NCT),
            with_extra("protocolSection.descriptionModule.briefSummary", None),
            ["Brief Summary removed (was A study that was made up for a test.)"],
            id="a value that goes is quoted",
        ),
        pytest.param(
            study(NCT),
            study(NCT, has_results=True, extra={"protocolSection": POSTED, "documentSection": PROTOCOL}),
            ["Results posted (first posted 2026-02-26), with Study Protocol"],
            id="results with their documents",
        ),
        pytest.param(
            study(NCT),
            study(NCT, has_results=True),
            ["Results posted with quality control comments (quality control not yet passed)"],
            id="results that have not passed quality control",
        ),
        pytest.param(
            study(NCT, has_results=True),
            study(NCT),
            ["Results removed from the public record"],
            id="results that are taken away",
        ),
        pytest.param(
            with_extra("hasResults", None),
            study(NCT),
            ["Study Results: No (was not stated)"],
            id="no results where nothing was said of them",
        ),
        pytest.param(
            study(NCT),
            with_extra(EVENTS, [{"type": "RESET", "date": "2026-02-20"}, {"type": "RELEASE", "date": "2026-02-10"}]),
            [
                (
                    "Results submitted to ClinicalTrials.gov on 2026-02-10; "
                    "Results returned to the sponsor after quality control review on 2026-02-20"
                )
            ],
            id="a submission and its return, in the order of their dates",
        ),
        pytest.param(
            study(NCT),
            with_extra(EVENTS, [{"type": "UNRELEASE", "dateUnknown": True}]),
            ["Submission of results cancelled by the sponsor (date not recorded)"],
            id="an event without a date",
        ),
        pytest.param(
            study(NCT),
            with_extra(EVENTS, [{"type": ["odd"], "date": 7}, "odder"]),
            ["Results submission event several values on 7"],
            id="an event of another shape",
        ),
        pytest.param(
            study(NCT),
            with_extra(VIOLATIONS, [{"type": "VIOLATION_IDENTIFIED", "issuedDate": "2026-02-20"}]),
            ["FDAAA 801 Violation: Violation identified by FDA (issued 2026-02-20)"],
            id="an event that is named by an enum",
        ),
    ],
)
def test_a_story_is_told_in_a_sentence(before: Json, after: Json, said: list[str]) -> None:
    assert sentences(before, after) == said


def every_change() -> list[Change]:
    record = full_record()
    pairs = [(record, changed(record, path)) for path in leaf_paths()]
    pairs += [(record, without(record, path)) for path in leaf_paths()]
    return [change for pair in pairs for change in compare(*pair, table())]


def test_no_sentence_about_a_known_field_shows_a_path() -> None:
    for change in every_change():
        for path in (change.path, *leaf_paths()):
            assert path not in change.sentence or "." not in path
        assert not re.search(r"Section\.|Module\b|\[\]|Struct\b", change.sentence + change.headline)


@pytest.mark.parametrize("path", [path for path in leaf_paths() if enum_values(path)])
def test_no_sentence_shows_an_enum_as_the_registry_stores_it(path: str) -> None:
    labels = {value: table().words(path, value) for value in enum_values(path)}
    stored = {value for value, label in labels.items() if value != label}
    record = full_record()

    for after in (changed(record, path), without(record, path)):
        for change in (*compare(record, after, table()), *compare(after, record, table())):
            said = f"{change.sentence} {change.headline}"
            for label in sorted(labels.values(), key=len, reverse=True):
                said = said.replace(label, " ")
            assert stored.isdisjoint(re.findall(r"\w+", said))


def test_nothing_invisible_reaches_a_sentence() -> None:
    before = full_record()
    after = orjson.loads(orjson.dumps(before))

    changes = compare(before, hostile(after), table()) + compare(hostile(after), before, table())

    assert len(changes) > 200
    assert [
        change for change in changes if UNSEEN.search(change.sentence + change.headline + (change.item or ""))
    ] == []


def test_nothing_invisible_in_the_name_of_an_unknown_field_reaches_a_sentence() -> None:
    before, after = {"a": {HOSTILE: 1}}, {"a": {HOSTILE: HOSTILE}, HOSTILE: [{HOSTILE: HOSTILE}]}

    changes = compare(before, after, table())

    assert len(changes) == 2
    assert [change for change in changes if UNSEEN.search(change.sentence + change.headline)] == []


@pytest.mark.parametrize("path", [path for path in leaf_paths() if "[]" not in path])
def test_no_value_makes_a_sentence_long(path: str) -> None:
    before, after = full_record(), full_record()
    holder = after
    for key in path.split(".")[:-1]:
        holder = holder[key]
    holder[path.rpartition(".")[2]] = "x" * 50_000

    for change in compare(before, after, table()):
        assert len(change.sentence) <= LONGEST_SENTENCE


def test_a_value_just_short_enough_is_quoted_whole() -> None:
    title = "x" * LONG_TEXT

    assert sentences(study(NCT, title="a"), study(NCT, title=title)) == [f"Brief Title: a → {title}"]


def hostile(value: Json) -> Json:
    """Return a record with hostile characters in every text, and in the keys of what is no field."""
    if isinstance(value, dict):
        return {key: hostile(below) for key, below in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE + value if isinstance(value, str) else value
