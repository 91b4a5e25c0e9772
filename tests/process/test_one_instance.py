"""One instance does the work; another one ends with 3 and names it; a dead one is no hindrance."""

import time
from datetime import timedelta

from tests.process.office import FIRST, Office
from tests.process.processes import until
from watcher.store.leases import DURATION


def test_of_two_daemons_that_start_at_once_one_works_and_the_other_names_it(office: Office) -> None:
    both = [office.start(), office.start()]
    until(lambda: any(daemon.process.poll() is not None for daemon in both), "one that gives way")
    (refused,) = (daemon for daemon in both if daemon.process.poll() is not None)
    (working,) = (daemon for daemon in both if daemon is not refused)
    assert refused.ended() == 3, refused.log
    assert f"process {working.process.pid} on " in refused.log
    working.logged('"started"')
    assert working.end() == 0


def test_beside_a_daemon_no_check_is_made_and_after_its_death_a_new_one_takes_over_at_once(office: Office) -> None:
    daemon = office.started()
    name = f"process {daemon.process.pid} on "
    ended = office.run("check")
    assert ended.code == 3
    assert name in ended.err
    (status,) = office.run("status", "--json").lines
    assert status["worker"].startswith(name)
    assert office.lists() == {"Ours": [FIRST]}

    daemon.kill()
    (status,) = office.run("status", "--json").lines
    assert status["worker"] is None
    began = time.monotonic()
    assert office.started().end() == 0
    assert timedelta(seconds=time.monotonic() - began) < DURATION / 2
