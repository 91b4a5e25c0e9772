"""The lease: one instance does the work, and another takes over when it is gone."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.store.factories import NOW
from tests.store.together import together
from watcher.errors import LeaseHeld
from watcher.store.database import Database
from watcher.store.leases import (
    DURATION,
    RENEW_EVERY,
    Holder,
    acquire,
    current_holder,
    living_holder,
    release_lease,
    renew,
)

ONE = Holder(token="1" * 32, host="mail01", pid=4711, process_started="boot:100")
OTHER = Holder(token="2" * 32, host="mail02", pid=7, process_started=None)
EXPIRED = NOW + DURATION


def test_nobody_holds_the_lease_at_first(database: Database) -> None:
    with database.reading() as db:
        assert current_holder(db) is None


def test_the_lease_is_held_by_who_took_it(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        assert current_holder(db) == ONE


def test_a_lease_that_is_held_is_refused_with_the_name_of_its_holder(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        with pytest.raises(LeaseHeld) as caught:
            acquire(db, OTHER, now=EXPIRED - timedelta(microseconds=1), previous_is_dead=False)
        assert caught.value.holder == "process 4711 on mail01, since 2026-03-02 12:00:00 UTC"
        assert current_holder(db) == ONE


def test_a_holder_may_take_its_own_lease_again(database: Database) -> None:
    with database.writing() as db:
        for _ in range(2):
            acquire(db, ONE, now=NOW, previous_is_dead=False)
        assert current_holder(db) == ONE


def test_of_two_instances_that_start_at_once_one_works(database: Database) -> None:
    def starting(holder: Holder) -> Callable[[], Holder]:
        def run() -> Holder:
            with database.writing() as db:
                acquire(db, holder, now=NOW, previous_is_dead=False)
            return holder

        return run

    results = together(starting(ONE), starting(OTHER))
    assert sorted(type(result).__name__ for result in results) == ["Holder", "LeaseHeld"]
    with database.reading() as db:
        assert current_holder(db) in results


def test_a_holder_whose_lease_has_run_out_counts_as_none(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        assert living_holder(db, now=EXPIRED - timedelta(microseconds=1)) == ONE
        assert living_holder(db, now=EXPIRED) is None
        assert current_holder(db) == ONE


# --- taking over ------------------------------------------------------------------------------------------------------


def test_a_lease_that_has_run_out_is_taken_over(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        acquire(db, OTHER, now=EXPIRED, previous_is_dead=False)
        assert current_holder(db) == OTHER


def test_the_lease_of_a_dead_process_is_taken_over_at_once(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        acquire(db, OTHER, now=NOW, previous_is_dead=True)
        assert current_holder(db) == OTHER


def test_who_was_taken_over_learns_it_at_the_next_renewal(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        acquire(db, OTHER, now=EXPIRED, previous_is_dead=False)
        assert renew(db, ONE, now=EXPIRED) is False
        assert renew(db, OTHER, now=EXPIRED) is True


def test_who_was_taken_over_does_not_give_the_others_lease_back(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        acquire(db, OTHER, now=EXPIRED, previous_is_dead=False)
        release_lease(db, ONE)
        assert current_holder(db) == OTHER


# --- renewing and giving back -----------------------------------------------------------------------------------------


def test_a_lease_that_is_renewed_does_not_run_out(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        renewed_at = NOW
        while renewed_at < EXPIRED + DURATION:
            renewed_at += RENEW_EVERY
            assert renew(db, ONE, now=renewed_at) is True
        with pytest.raises(LeaseHeld, match="since 2026-03-02 12:00:00 UTC"):
            acquire(db, OTHER, now=renewed_at + DURATION - timedelta(microseconds=1), previous_is_dead=False)


def test_a_lease_that_was_forgotten_but_not_taken_over_can_be_renewed(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        assert renew(db, ONE, now=EXPIRED + timedelta(hours=1)) is True


def test_a_lease_that_was_given_back_is_free(database: Database) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW, previous_is_dead=False)
        release_lease(db, ONE)
        assert current_holder(db) is None
        assert renew(db, ONE, now=NOW) is False
        acquire(db, OTHER, now=NOW, previous_is_dead=False)
        assert current_holder(db) == OTHER


@pytest.mark.parametrize(
    ("ahead", "held"),
    [
        pytest.param(timedelta(seconds=30), True, id="a little: clocks of two machines differ"),
        pytest.param(DURATION, True, id="as far as it may be"),
        pytest.param(DURATION + timedelta(microseconds=1), False, id="further"),
        pytest.param(timedelta(days=365), False, id="a year"),
    ],
)
def test_a_lease_from_a_clock_that_was_ahead_does_not_keep_others_from_the_work(
    database: Database, ahead: timedelta, *, held: bool
) -> None:
    with database.writing() as db:
        acquire(db, ONE, now=NOW + ahead, previous_is_dead=False)
        assert (living_holder(db, now=NOW) == ONE) is held
        if held:
            with pytest.raises(LeaseHeld):
                acquire(db, OTHER, now=NOW, previous_is_dead=False)
        else:
            acquire(db, OTHER, now=NOW, previous_is_dead=False)
            assert current_holder(db) == OTHER
