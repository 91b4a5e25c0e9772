"""The headers by which mail programs sort, thread, unsubscribe and do not answer."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from watcher.core.moved_dates import moved_dates
from watcher.render.letters import About, Coverage, Letter, Letters, SubjectStyle, as_drill
from watcher.render.templates import Templates
from watcher.stages.writing import Outgoing, Sender, Writer

NOW = datetime(2026, 3, 24, 7, tzinfo=UTC)
TRIAL = About(nct_id="NCT00000001", title="A Study")
LETTER = Letter(
    template="digest",
    subject="[NCT00000001] Study suspended",
    summary="1 of 9 trials changed.",
    coverage=Coverage(verified=9, watched=9, data_date="2026-03-23"),
)
BUILT_IN = Templates()


def outgoing(letter: Letter, *, address: str = "reader@example.org", now: datetime = NOW, **options: Any) -> Outgoing:
    given = {"address": "trialwatch@example.org", "name": "", "reply_to": None, "domain": "example.org"}
    sender = Sender(**(given | options))
    return Writer(Letters(BUILT_IN, BUILT_IN), sender).write(letter, address, identity="one", now=now)


def written(letter: Letter, **options: Any) -> EmailMessage:
    mail = message_from_bytes(outgoing(letter, **options).message.mime, policy=policy.default)
    assert [part.defects for part in mail.walk() if part.defects] == []
    return mail


def test_all_mails_about_one_trial_answer_the_same_mail_which_is_never_sent() -> None:
    first, second = written(replace(LETTER, about=TRIAL)), written(replace(LETTER, about=TRIAL, urgent=True), now=NOW)
    root = first["References"]
    assert root == first["In-Reply-To"] == second["References"] == second["In-Reply-To"]
    assert root.startswith("<NCT00000001.")
    assert root != first["Message-ID"]


def test_the_thread_of_a_trial_is_another_one_of_another_installation() -> None:
    here, there = (written(replace(LETTER, about=TRIAL), domain=name) for name in ("a.example", "b.example"))
    assert here["References"].split("@")[0] != there["References"].split("@")[0]


def test_a_mail_about_several_trials_is_in_no_thread() -> None:
    mail = written(LETTER)
    assert (mail["References"], mail["In-Reply-To"]) == (None, None)


@pytest.mark.parametrize(
    ("letter", "list_id"),
    [
        pytest.param(replace(LETTER, about=TRIAL), "Trial NCT00000001 <nct00000001.trials.example.org>", id="a trial"),
        pytest.param(replace(LETTER, watchlist="ours"), "ours <ours.lists.example.org>", id="a watch list"),
        pytest.param(
            replace(LETTER, watchlist="Größe & Co"),
            "Größe & Co <gr-e-co-8e7e5e.lists.example.org>",
            id="another script",
        ),
        pytest.param(LETTER, "trialwatch digests <digests.example.org>", id="several lists"),
        pytest.param(replace(LETTER, template="operator"), None, id="the operator"),
    ],
)
def test_mail_programs_can_sort_by_the_list(letter: Letter, list_id: str | None) -> None:
    found = written(letter)["List-Id"]
    if list_id is None:
        assert found is None
        return
    description, _, identifier = str(found).replace('"', "").rpartition(" ")
    wanted, _, name = list_id.rpartition(" ")
    assert description == wanted
    assert identifier.split("-")[0] == name.split("-")[0]
    assert identifier.endswith(".example.org>")


def test_lists_of_like_names_have_other_identifiers() -> None:
    names = [str(written(replace(LETTER, watchlist=name))["List-Id"]) for name in ("a b", "a-b", "A b", "ä b")]
    assert len({name.rpartition("<")[2] for name in names}) == 4


def test_a_reader_can_unsubscribe_with_one_click_by_headers_that_are_not_folded() -> None:
    url = "https://trialwatch.example.org/u/" + "w" * 60
    letter = replace(LETTER, unsubscribe_url=url)
    lines = outgoing(letter).message.mime.split(b"\r\n")
    assert f"List-Unsubscribe: <{url}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_link_that_is_not_encrypted_is_no_header_but_stands_in_the_text() -> None:
    mail = written(replace(LETTER, unsubscribe_url="http://127.0.0.1:8710/u/word"))
    text = mail.get_body(("plain",))
    assert mail["List-Unsubscribe"] is None
    assert text is not None
    assert "http://127.0.0.1:8710/u/word" in text.get_content()


@pytest.mark.parametrize(
    ("changes", "bulk"),
    [
        pytest.param({}, "bulk", id="a digest"),
        pytest.param({"urgent": True}, None, id="an urgent one"),
        pytest.param({"template": "operator"}, None, id="the operator's"),
    ],
)
def test_mails_that_can_wait_say_that_they_are_bulk(changes: dict[str, Any], bulk: str | None) -> None:
    mail = written(replace(LETTER, **changes))
    assert mail["Precedence"] == bulk
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_answers_go_where_the_settings_say() -> None:
    assert written(LETTER, reply_to="team@example.org")["Reply-To"] == "team@example.org"


def test_the_same_letter_is_the_same_message_whenever_it_is_written_again() -> None:
    assert outgoing(LETTER).message == outgoing(LETTER).message


@pytest.mark.parametrize(
    ("style", "subject"),
    [(SubjectStyle.INFORMATIVE, "[NCT00000001] Study suspended"), (SubjectStyle.STABLE, "[NCT00000001] A Study")],
)
def test_a_mail_about_one_trial_has_its_subject_in_the_style_that_was_chosen(style: SubjectStyle, subject: str) -> None:
    assert written(replace(LETTER, about=TRIAL), subject_style=style)["Subject"] == subject


def test_a_mail_about_several_trials_has_one_style_only() -> None:
    assert written(LETTER, subject_style=SubjectStyle.STABLE)["Subject"] == LETTER.subject


def test_a_drill_is_in_no_trials_thread() -> None:
    mail = written(as_drill(replace(LETTER, about=TRIAL)))
    assert mail["Subject"] == "[DRILL] [NCT00000001] Study suspended"
    assert mail["X-Trialwatch-Drill"] == "yes"
    assert mail["References"] is None


def test_without_dates_there_is_no_calendar_and_without_the_setting_neither() -> None:
    assert moved_dates([], title="", moves={}) == []
    assert written(LETTER, calendar=True).get_content_type() == "multipart/alternative"
