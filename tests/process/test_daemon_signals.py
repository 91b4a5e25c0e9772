"""The daemon as a process that is told something: to end, or to read its settings again.

Does not test which new settings are refused, and why: see ``test_service.py``.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.process.office import FIRST, READER, SECOND, WEEK, Office, title
from tests.process.processes import Daemon, came, until
from tests.smtp_server import Act, Step

# --- told to end ------------------------------------------------------------------------------------------------------


@contextmanager
def waits_to_begin(office: Office) -> Iterator[Daemon]:
    assert office.run("status").code == 0  # makes the database
    with office.locked_store():
        daemon = office.start()
        mapped = Path(f"/proc/{daemon.process.pid}/maps")
        until(lambda: "store.sqlite3-shm" in mapped.read_text(encoding="utf-8"), "a daemon that opens the database")
        yield daemon


@contextmanager
def waits_for_the_registry(office: Office) -> Iterator[Daemon]:
    office.registry.fault("hang", times=None)
    daemon = office.start()
    until(lambda: bool(office.registry.requests), "a request that hangs")
    yield daemon


@contextmanager
def waits_for_mail_server_and_database(office: Office) -> Iterator[Daemon]:
    office.mail.answer(Step.GREETING, Act.SILENCE)
    daemon = office.start()
    office.mail.wait_until_reached(Step.GREETING)
    with office.locked_store():
        asked = len(office.registry.requests)
        # Checks come every second: without a new request, one that had asked before waits for the database already.
        came(lambda: len(office.registry.requests) > asked, within=timedelta(seconds=3))
        yield daemon


@pytest.mark.parametrize(
    "situation",
    [
        pytest.param(waits_to_begin, id="the database is locked by somebody else before it begins"),
        pytest.param(waits_for_the_registry, id="a transfer from the registry hangs"),
        pytest.param(
            waits_for_mail_server_and_database,
            id="the mail server is silent and the database locked by somebody else",
        ),
    ],
)
def test_it_ends_in_time_and_the_next_one_can_go_on_while(
    situation: Callable[[Office], AbstractContextManager[Daemon]], busy_office: Office
) -> None:
    with situation(busy_office) as daemon:
        assert daemon.end(signal.SIGTERM) == 0, daemon.log
    with busy_office.store() as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    busy_office.registry.clear_faults()
    busy_office.mail.behave()
    ended = busy_office.run("check")
    assert (ended.code, ended.err) == (0, "")
    assert [mail.recipient for mail in busy_office.mail.accepted] == [READER]


# --- told to read its settings again ----------------------------------------------------------------------------------


def test_at_a_hangup_a_broken_file_changes_nothing_and_a_whole_one_takes_effect(busy_office: Office) -> None:
    daemon = busy_office.started()
    busy_office.mail.wait_for(1)

    busy_office.settings.write_text("operator = nobody", encoding="utf-8")
    daemon.tell(signal.SIGHUP)
    assert "trialwatch.toml" in daemon.logged('"new settings refused')
    busy_office.registry.advance()
    told = busy_office.mail.wait_for(2)[1]
    assert told.recipient == READER
    assert title(FIRST, WEEK[1]) in told.words

    busy_office.settle(trials=[SECOND], to="new@example.org")
    daemon.tell(signal.SIGHUP)
    daemon.logged('"settings reloaded')
    busy_office.mail.wait_until(
        lambda: "new@example.org" in {mail.recipient for mail in busy_office.mail.accepted}, "a mail to the new reader"
    )
    assert daemon.end(signal.SIGINT) == 0


def test_at_a_hangup_the_intervals_follow(busy_office: Office) -> None:
    often = busy_office.settings.read_text(encoding="utf-8")
    seldom = often.replace('deliver_every = "1s"', 'deliver_every = "1h"').replace('every = "1s"', 'every = "1h"')
    busy_office.settings.write_text(seldom, encoding="utf-8")
    daemon = busy_office.started()
    busy_office.settings.write_text(often, encoding="utf-8")
    daemon.tell(signal.SIGHUP)
    busy_office.registry.advance()
    busy_office.registry.advance()
    busy_office.mail.wait_until(
        lambda: any(title(FIRST, WEEK[2]) in mail.words for mail in busy_office.mail.accepted), "a mail within the hour"
    )
    assert daemon.end() == 0


def test_forty_hangups_leave_no_files_open(office: Office) -> None:
    daemon = office.started()
    opened = Path(f"/proc/{daemon.process.pid}/fd")
    counts = []
    for times in range(1, 41):
        daemon.tell(signal.SIGHUP)
        daemon.logged('"settings reloaded', times=times)
        counts.append(len(list(opened.iterdir())))
    assert max(counts[-5:]) <= max(counts[:5]) + 2
    assert daemon.end() == 0
