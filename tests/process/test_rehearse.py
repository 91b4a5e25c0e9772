"""``trialwatch preview`` and ``simulate``: a look ahead that leaves no trace, and a drill that leaves only its mail."""

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.process.office import FIRST, READER, SECOND, UNKNOWN, Office

DRILL_WORDS = "DRILL: nothing of this happened."


@pytest.fixture
def settled(office: Office) -> Office:
    """An office whose first round was done."""
    assert office.run("check").code == 0
    return office


def everything(office: Office) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of all tables, but the lease, which is held for a moment."""
    with office.store() as store:
        names = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: store.execute(f"SELECT * FROM {name}").fetchall() for name in names if name != "lease"}  # noqa: S608 our tables


def mails(office: Office) -> Iterator[EmailMessage]:
    for path in sorted((office.folder / "state" / "mail").glob("*.eml")):
        yield email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def drills(office: Office) -> list[EmailMessage]:
    return [mail for mail in mails(office) if mail["X-Trialwatch-Drill"]]


# --- preview ----------------------------------------------------------------------------------------------------------


def changed(office: Office) -> Office:
    """Let a change be recorded and told."""
    office.registry.advance()
    assert office.run("check").code == 0
    return office


def test_what_was_recorded_since_a_day_is_shown_again_and_nothing_is_changed(settled: Office) -> None:
    changed(settled)
    before = everything(settled)
    ended = settled.run("preview", READER, "--since", "2026-03-03")
    assert ended.code == 0
    assert ended.out.startswith(f"Subject: [{FIRST}] ")
    assert "Study suspended" in ended.out
    assert everything(settled) == before


def test_a_preview_shows_a_reader_what_their_routes_take(office: Office) -> None:
    route = '[[route]]\nname = "Safety"\nrecipients = ["safety@example.org"]\ncategories = ["status"]\n'
    office.settings.write_text(office.settings.read_text(encoding="utf-8") + route, encoding="utf-8")
    assert office.run("check").code == 0
    for _ in range(2):
        office.registry.advance()
        assert office.run("check").code == 0
    mine = office.run("preview", "safety@example.org", "--since", "2026-03-03").out
    everybody_s = office.run("preview", READER, "--since", "2026-03-03").out
    assert "Study suspended" in mine
    assert "Enrollment" not in mine
    assert "Enrollment" in everybody_s


@pytest.mark.parametrize("ending", ["eml", "html", "txt"])
def test_a_preview_can_be_written_to_a_file(settled: Office, ending: str) -> None:
    changed(settled)
    path = settled.folder / f"digest.{ending}"
    assert settled.run("preview", "--since", "2026-03-03", "--out", str(path)).code == 0
    assert b"suspended" in path.read_bytes()


def test_a_preview_is_opened_in_the_browser_that_is_named(settled: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(settled)
    opened: list[str] = []

    def show(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", show)
    assert settled.run("preview", "--since", "2026-03-03", "--open").code == 0
    (url,) = opened
    shown = Path(url.removeprefix("file://"))
    assert "Study suspended" in shown.read_text(encoding="utf-8")
    shown.unlink()


def test_when_nothing_waits_that_is_said(settled: Office) -> None:
    ended = settled.run("preview", READER)
    assert ended.code == 0
    assert ended.out == ""
    assert "nothing to tell" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["raeder@example.org"], f'did you mean "{READER}"?', id="a reader who is misspelled"),
        pytest.param(["not an address"], "is not a mail address", id="no address"),
        pytest.param(["--trial", UNKNOWN], "is not watched", id="a trial that is not watched"),
        pytest.param(["--trial", "NCT1"], "has 1 digit", id="no NCT ID"),
        pytest.param(["--since", "yesterday"], "yesterday", id="no day"),
        pytest.param(["--out", "digest.pdf"], ".eml, .html or .txt", id="a kind of file that is not offered"),
    ],
)
def test_what_cannot_be_previewed_is_refused_with_what_would_be_right(
    settled: Office, arguments: list[str], words: str
) -> None:
    ended = settled.run("preview", *arguments)
    assert ended.code == 2
    assert words in ended.err


# --- simulate ---------------------------------------------------------------------------------------------------------


def test_a_drill_reaches_the_readers_and_says_in_subject_text_and_header_that_it_is_one(settled: Office) -> None:
    ended = settled.run("simulate", FIRST, "--set", "overallStatus=TERMINATED")
    assert ended.code == 0, ended.err
    (mail,) = drills(settled)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert mail["To"] == READER
    assert mail["Subject"].startswith(f"[DRILL] [{FIRST}] ")
    assert "Terminated" in mail["Subject"]
    assert all(DRILL_WORDS in " ".join(part.get_content().split()) for part in (text, html))
    assert mail["References"] is None


def test_nothing_but_the_message_is_recorded_of_a_drill_and_the_record_is_not_changed_by_it(settled: Office) -> None:
    before = everything(settled)
    assert settled.run("simulate", FIRST, "--set", "overallStatus=TERMINATED").code == 0
    after = everything(settled)
    assert {name for name in after if after[name] != before[name]} == {"message"}
    with settled.store() as store:
        ((digest, drill, state),) = store.execute(
            "SELECT digest_id, drill, state FROM message WHERE subject LIKE '[DRILL]%'"
        ).fetchall()
    assert (digest, drill, state) == (None, 1, "sent")
    changed(settled)
    assert [mail["Subject"] for mail in mails(settled) if "Terminated" in mail["Subject"]] == [
        mail["Subject"] for mail in drills(settled)
    ]


def test_a_drill_can_be_sent_to_one_address_only(settled: Office) -> None:
    assert settled.run("simulate", FIRST, "--set", "overallStatus=withdrawn", "--to", "me@example.org").code == 0
    assert [mail["To"] for mail in drills(settled)] == ["me@example.org"]


def test_a_drill_of_what_no_mail_tells_says_so_and_sends_nothing(settled: Office) -> None:
    ended = settled.run("simulate", FIRST, "--set", "lastUpdatePostDateStruct.date=2026-03-09")
    assert ended.code == 0
    assert "Nobody would be told" in ended.out
    assert drills(settled) == []


def test_a_running_service_hands_the_drill_over(settled: Office) -> None:
    daemon = settled.started()
    ended = settled.run("simulate", FIRST, "--set", "overallStatus=TERMINATED")
    assert ended.code == 0
    assert "left to the service that runs" in ended.out
    daemon.logged('"delivered"')
    assert [mail["To"] for mail in drills(settled)] == [READER]


def test_a_template_of_the_administrators_that_does_not_know_drills_is_not_used_for_one(settled: Office) -> None:
    own = settled.folder / "own" / "mail"
    own.mkdir(parents=True)
    (own / "digest.txt").write_text("{{ summary }} Our words.", encoding="utf-8")
    settings = settled.settings.read_text(encoding="utf-8").replace(
        "[[watchlist]]", 'templates = {directory = "own"}\n[[watchlist]]'
    )
    settled.settings.write_text(settings, encoding="utf-8")
    assert settled.run("simulate", FIRST, "--set", "overallStatus=TERMINATED").code == 0
    (mail,) = drills(settled)
    text = mail.get_body(("plain",))
    assert text is not None
    assert DRILL_WORDS in " ".join(text.get_content().split())
    assert "Our words." not in text.get_content()


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        pytest.param("overalStatus=TERMINATED", 'did you mean "overallStatus"?', id="a field that is misspelled"),
        pytest.param("overallStatus=TERMINATD", 'did you mean "TERMINATED"?', id="a value that is misspelled"),
        pytest.param("overallStatus", "is not path=value", id="no value"),
        pytest.param("date=2027-01-01", "write more of the path", id="a field that may be several"),
        pytest.param("enrollmentInfo.count=many", "is not a whole number", id="no number"),
        pytest.param("completionDateStruct.date=2027-13", "is not a date", id="no date"),
        pytest.param("identificationModule.nctId=NCT00000009", "is another record", id="the identity"),
        pytest.param("locations.facility=X", "is no field", id="a list without its brackets"),
        pytest.param("locations[].facility=X", "say which item", id="no item of a list"),
        pytest.param("locations[99].facility=X", "there is no item 99", id="an item that is not there"),
        pytest.param("overallStatus=RECRUITING", "says all that already", id="what the record says already"),
    ],
)
def test_a_wish_that_means_nothing_is_refused_with_what_was_probably_meant(
    settled: Office, wish: str, words: str
) -> None:
    ended = settled.run("simulate", FIRST, "--set", wish)
    assert ended.code == 2
    assert words in ended.err
    assert drills(settled) == []


def test_a_trial_that_was_never_seen_cannot_be_drilled(settled: Office) -> None:
    ended = settled.run("simulate", SECOND, "--set", "overallStatus=TERMINATED")
    assert ended.code == 2
    assert "no version of this record is stored" in ended.err
