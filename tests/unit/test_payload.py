"""The document that targets get: what a mail tells, within its budget, as docs/webhooks.md says."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.budget import NamedTrial
from watcher.core.digest import Sentence, TrialBlock, Version, delayed
from watcher.core.text import UNSEEN, one_line
from watcher.core.words.details import Detail
from watcher.model import Severity
from watcher.render.letters import (
    Coverage,
    IncidentLine,
    Letter,
    ListedTrial,
    TrialGroup,
    as_drill,
    letter_of_changes,
)
from watcher.render.payload import BUDGET, payload

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
COVERAGE = Coverage(verified=8, watched=8, data_date="2026-03-03")
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "webhooks.md"


def block(nct_id: str = "NCT99000001", *, text: str = "Study suspended", sentences: int = 1) -> TrialBlock:
    detail = Detail(label="Criteria", segments=(), text="[-18-] [+21+] years")
    sentence = Sentence(
        text=f"{text} (Recruitment status: Recruiting → Suspended)",
        headline="Recruitment status: Recruiting → Suspended",
        severity=Severity.CRITICAL,
        category="status",
        details=(detail,),
    )
    version = Version(
        origin="Sponsor update posted 2026-03-03; registry data of 2026-03-03",
        sentences=(sentence,) * sentences,
        clauses=("1 central contact removed",),
        not_told=2,
    )
    return TrialBlock(nct_id=nct_id, title="Study of QLM-204", versions=(version,))


def digest(*blocks: TrialBlock, **more: Any) -> Letter:
    subject = "[NCT99000001] Recruitment status: Recruiting → Suspended (+1)"
    return Letter(
        template="digest", subject=subject, summary="1 of 8 trials changed.", coverage=COVERAGE, blocks=blocks, **more
    )


def document(letter: Letter, text: str = "Study suspended") -> dict[str, Any]:
    written = payload(letter, text=text, composed_at=NOON)
    assert len(written) <= BUDGET
    read: dict[str, Any] = json.loads(written)
    return read


def test_the_example_in_the_documentation_is_what_is_written() -> None:
    shown = re.search(r"```json\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert shown is not None
    named = NamedTrial(nct_id="NCT99000002", headline="Enrolment: 120 → 80", told=3)
    text = "1 of 8 trials changed.\n\nNCT99000001  Study of QLM-204\n"
    assert json.loads(shown[1]) == document(digest(block(), named=(named,), more=1), text)


@pytest.mark.parametrize("kind", ["digest.changes", "digest.watching", "operator.incidents", "test"])
def test_every_kind_is_documented(kind: str) -> None:
    assert f"`{kind}`" in DOCUMENTATION.read_text(encoding="utf-8").replace("message.test", "test")


def test_each_kind_of_letter_has_its_type_and_its_facts() -> None:
    group = TrialGroup(
        heading="You will hear of:", trials=(ListedTrial(nct_id="NCT99000001", title="T", facts=("F",)),), more=3
    )
    watching = document(
        Letter(template="watching", subject="Now watching", summary="S", coverage=COVERAGE, groups=(group,))
    )
    incident = IncidentLine(summary="The registry cannot be asked", opened_at=NOON)
    operator = document(Letter(template="operator", subject="S", summary="S", coverage=COVERAGE, incidents=(incident,)))

    assert watching["type"] == "digest.watching"
    assert watching["data"]["groups"][0]["trials"][0]["nct_id"] == "NCT99000001"
    assert watching["data"]["groups"][0]["more"] == 3
    assert operator["type"] == "operator.incidents"
    assert operator["data"]["incidents"] == [
        {"summary": "The registry cannot be asked", "opened_at": "2026-03-03T12:00:00+00:00"}
    ]


def test_the_same_letter_is_the_same_bytes() -> None:
    assert payload(digest(block()), text="x", composed_at=NOON) == payload(digest(block()), text="x", composed_at=NOON)


@pytest.mark.parametrize(
    ("blocks", "length"), [(400, 10), (30, 2000), (1, 400_000), (3, 200_000)], ids=["many", "long", "huge", "some"]
)
def test_what_has_no_room_is_left_out_and_counted(blocks: int, length: int) -> None:
    trials = [block(f"NCT9{number:07}", text="é" * length, sentences=3) for number in range(blocks)]
    data = document(digest(*trials, more=5), "a line of text\n" * 20_000)["data"]
    assert data["left_out"]["trials"] == blocks - len(data["trials"]) - len(data["named"]) + 5
    assert data["left_out"]["text_lines"] == 20_000 - len(data["text"].split("\n"))
    assert data["left_out"]["text_lines"] > 0


def test_all_of_an_ordinary_digest_is_there() -> None:
    data = document(digest(*(block(f"NCT9{number:07}") for number in range(60))))["data"]
    assert len(data["trials"]) == 60
    assert set(data["left_out"].values()) == {0}


def changes_of(*blocks: TrialBlock) -> Letter:
    """Return the letter of these trials, which is cut for a mail where a mail has no room."""
    return letter_of_changes(blocks, COVERAGE)


@pytest.mark.parametrize(
    ("count", "sentences"), [(150, 1), (70, 4), (2, 60)], ids=["many trials", "some trials", "long trials"]
)
def test_what_a_mail_has_no_room_for_is_in_the_document(count: int, sentences: int) -> None:
    letter = changes_of(*(block(f"NCT9{number:07}", sentences=sentences) for number in range(count)))
    assert letter.named or any(version.left_out for one in letter.blocks for version in one.versions)
    data = document(letter)["data"]
    assert [one["nct_id"] for one in data["trials"]] == [f"NCT9{number:07}" for number in range(count)]
    assert {len(one["versions"][0]["changes"]) for one in data["trials"]} == {sentences}
    assert data["named"] == []
    assert set(data["left_out"].values()) == {0}


@pytest.mark.parametrize("count", [500, 3000])
def test_trials_that_the_document_has_no_room_for_are_named_and_the_last_ones_counted(count: int) -> None:
    data = document(changes_of(*(block(f"NCT9{number:07}", sentences=3) for number in range(count))))["data"]
    told, named = len(data["trials"]), len(data["named"])
    assert told > 100
    assert named > 60
    assert told + named + data["left_out"]["trials"] == count
    shown = [one["nct_id"] for one in (*data["trials"], *data["named"])]
    assert shown == [f"NCT9{number:07}" for number in range(told + named)]


def test_a_trial_that_is_too_long_for_the_document_is_told_as_far_as_a_mail_tells_it() -> None:
    data = document(changes_of(block(sentences=2000), block("NCT99000002")))["data"]
    long, short = data["trials"]
    assert 0 < len(long["versions"][0]["changes"]) < 2000
    assert (
        len(long["versions"][0]["changes"]) + len(long["versions"][0]["also"]) + long["versions"][0]["left_out"] == 2001
    )
    assert len(short["versions"][0]["changes"]) == 1


def test_programs_see_a_drill_a_delay_and_a_reminder() -> None:
    first, late = block(), block("NCT99000002")
    late = replace(late, versions=tuple(replace(delayed(one, NOON), reminder=True) for one in late.versions))
    data = document(as_drill(changes_of(first, late)))["data"]
    assert data["drill"] is True
    told = {one["nct_id"]: one["versions"][0] for one in data["trials"]}
    assert (told["NCT99000001"]["delayed_since"], told["NCT99000001"]["reminder"]) == (None, False)
    assert told["NCT99000002"]["delayed_since"] == "2026-03-03T12:00:00+00:00"
    assert told["NCT99000002"]["reminder"] is True


def test_what_is_about_no_single_trial_is_there() -> None:
    remark = Sentence(text="All is verified again.", headline="Verified", severity=Severity.MINOR, category="status")
    data = document(letter_of_changes((), COVERAGE, remarks=(remark,)))["data"]
    assert [one["sentence"] for one in data["remarks"]] == ["All is verified again."]
    assert document(Letter(template="x", subject="s", summary="s", coverage=COVERAGE, lines=("A line.",)))["data"][
        "lines"
    ] == ["A line."]


@given(st.text(), st.text())
def test_no_text_from_a_record_steers_anything(title: str, text: str) -> None:
    import unicodedata

    hostile = TrialBlock(nct_id="NCT99000001", title=title, versions=())
    letter = Letter(template="digest", subject=title, summary=title, coverage=COVERAGE, blocks=(hostile,))
    clean = text.encode("utf-8", "replace").decode()
    read = document(letter, clean)["data"]
    assert read["trials"][0]["title"] == one_line(title)
    for value in (read["subject"], read["trials"][0]["title"], read["text"].replace("\n", "")):
        assert not {unicodedata.category(char) for char in value} & UNSEEN


def test_the_services_that_are_not_offered_are_documented() -> None:
    from watcher.notify.apprise_schemas import NOT_OFFERED

    listed = re.search(r"what is no service: (.*?)\. Plug-ins", DOCUMENTATION.read_text("utf-8"), flags=re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) == set(NOT_OFFERED)
