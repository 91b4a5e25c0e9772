"""The commands about who has taken note, as somebody types them."""

import getpass

import pytest

from tests.process.office import FIRST, READER, Office
from watcher.errors import SettingsError
from watcher.store.database import Database
from watcher.store.tokens import find_grant


@pytest.fixture
def told(office: Office) -> str:
    """Let a critical change be told; return its ID."""
    assert office.run("check").code == 0
    office.registry.advance()
    assert office.run("check").code == 0
    (entry,) = office.run("inbox", "--json").lines
    return str(entry["id"])


def test_the_inbox_shows_what_waits_to_people_and_to_programs(office: Office, told: str) -> None:
    (entry,) = office.run("inbox", "--json").lines
    assert (entry["kind"], entry["nct_id"], entry["severity"]) == ("open", FIRST, "critical")
    assert (entry["assignee"], entry["acknowledgement"]) == (None, None)
    lines = office.run("inbox").out.splitlines()
    assert lines[0] == "critical"
    assert FIRST in lines[1]
    assert f"({told})" in lines[1]


def test_acknowledging_empties_the_inbox_and_shows_in_history_and_explanation(office: Office, told: str) -> None:
    ended = office.run("acknowledge", told[:8], "--comment", "Sites were called", "--by", "the lead")
    assert ended.code == 0
    assert "acknowledged by the lead on " in ended.out
    assert office.run("inbox").out == "Nothing waits: all that was told is acknowledged.\n"
    assert "already acknowledged by the lead" in office.run("acknowledge", told).out

    for command in (("history", FIRST), ("explain", told)):
        shown = office.run(*command).out
        assert "acknowledged by the lead on " in shown
        assert ": Sites were called" in shown
    by_id = {line["id"]: line["acknowledgement"] for line in office.run("history", FIRST, "--json").lines}
    assert by_id[told]["comment"] == "Sites were called"
    (explained,) = office.run("explain", told, "--json").lines
    assert [done["act"] for done in explained["acts"]] == ["acknowledged"]

    assert office.run("reopen", told).code == 0
    assert [entry["id"] for entry in office.run("inbox", "--json").lines] == [told]


def test_an_assignment_names_who_is_to_look_after_it(office: Office, told: str) -> None:
    (line,) = office.run("assign", told, "Third@Example.org", "--json").lines
    assert (line["act"], line["assignee"], line["by"]) == ("assigned", "Third@example.org", getpass.getuser())
    assert "assigned to Third@example.org" in office.run("inbox").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("acknowledge", "xyz"), "is not the ID of a change", id="not an ID"),
        pytest.param(("acknowledge", "0" * 16), "no recorded change has the ID", id="an ID of nothing"),
        pytest.param(("assign", "{}", "nobody"), "is not a mail address", id="not an address"),
        pytest.param(("reopen", "{}"), "is open: nobody has acknowledged it", id="open already"),
        pytest.param(("acknowledge", "{}", "--by", " "), "--by: it is not known who you are", id="nobody"),
        pytest.param(("feed", "add", "Ours", "--for", READER), "web.public_url: is not set", id="no pages"),
    ],
)
def test_what_cannot_be_done_is_said(office: Office, told: str, arguments: tuple[str, ...], says: str) -> None:
    ended = office.run(*(argument.replace("{}", told) for argument in arguments))
    assert ended.code == 2
    assert says in ended.err


def test_a_feed_s_link_is_printed_once_and_can_be_revoked(office: Office, told: str) -> None:
    web = '[web]\npublic_url = "https://trials.example.org"\n'
    settings = office.settings.read_text(encoding="utf-8").replace("[[watchlist]]", web + "[[watchlist]]")
    office.settings.write_text(settings, encoding="utf-8")
    link = office.run("feed", "add", "Ours", "--for", READER).out.strip()
    word = link.removeprefix("https://trials.example.org/feeds/").removesuffix(".atom")
    database = Database(f"sqlite:///{office.folder / 'store.sqlite3'}")
    with database.reading() as db:
        assert find_grant(db, word) is not None
    assert office.run("feed", "revoke", "--for", READER).out == "Revoked: 1.\n"
    assert office.run("feed", "revoke", "--for", READER).out == "There was no link in force.\n"
    with database.reading() as db:
        assert find_grant(db, word) is None
    database.close()


@pytest.mark.parametrize(
    ("listen", "says"),
    [
        pytest.param("0.0.0.0:8710", "would answer other machines", id="every address"),
        pytest.param("192.0.2.7:8710", "would answer other machines", id="an address of a network"),
        pytest.param("[::]:8710", "would answer other machines", id="every address, IPv6"),
        pytest.param("trials.example.org:80", "would answer other machines", id="a name"),
        pytest.param("127.0.0.1", "is not a host and a port", id="no port"),
        pytest.param("127.0.0.1:0", "is not a host and a port", id="no real port"),
        pytest.param("127.0.0.1:8710/x", "is not a host and a port", id="a path"),
        pytest.param("user@127.0.0.1:8710", "is not a host and a port", id="a login"),
        pytest.param("http://127.0.0.1:8710", "is not a host and a port", id="a URL"),
    ],
)
def test_pages_are_for_this_machine_alone(office: Office, listen: str, says: str) -> None:
    text = office.settings.read_text(encoding="utf-8")
    office.settings.write_text(text.replace("[[watch", f'[web]\nlisten = "{listen}"\n[[watch'), encoding="utf-8")
    ended = office.run("config", "check")
    assert ended.code == 2
    assert "web.listen: " in ended.err
    assert says in ended.err
    assert issubclass(SettingsError, Exception)
