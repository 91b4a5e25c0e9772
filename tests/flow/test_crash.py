"""A process may die at any moment: the next one tells every change once, but for what the mail server took unheard.

The round below passes every kind of step: a first sight, a trial that leaves, a change of two trials, an immediate
reader and a daily one.  Each attempt dies one step later than the one before, until a round gets through.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection

from tests.flow.mail_server import Died
from tests.flow.world import OTHER, READER, TRIAL, World, daily, immediate, words
from watcher.model import DeliveryState, Phase
from watcher.store import outbox

DAILY = "daily@example.org"
MOST_STEPS = 80  # in one round; the loop below must end


@dataclass(slots=True)
class Round:
    """One attempt: what it publishes, and what became of it."""

    number: int
    allowed_doubles: int = 0

    @property
    def newcomer(self) -> str:
        return f"NCT1{self.number:07}"

    @property
    def enrollment(self) -> int:
        return 100 + self.number

    @property
    def sentence(self) -> str:
        return f"→ {self.enrollment} (estimated)"


def die_at_commit(world: World, at: int, *, committed: bool) -> None:
    """Let the process die at its next but so many transactions: right before the commit, or right after it."""
    database = world.app.database
    original, count = database.writing, 0

    @contextmanager
    def writing() -> Iterator[Connection]:
        nonlocal count
        count += 1
        dies = count == at
        with original() as db:
            yield db
            if dies and not committed:
                raise Died
        if dies:
            raise Died

    database.writing = writing  # type: ignore[method-assign]  # a process does not choose where it dies


def accepted_and_sent(world: World) -> tuple[int, int]:
    with world.app.database.reading() as db:
        return len(world.mail_server.accepted), outbox.counts(db)[DeliveryState.SENT]


def live_through(world: World, attempt: Round, arm: Callable[[World, int], None]) -> bool:
    """Publish, die, start again; return whether it died at all."""
    readers = [immediate(), daily(DAILY)]
    world.watch(TRIAL, OTHER, attempt.newcomer, readers=readers)
    changed = {"enrollment": attempt.enrollment}
    world.registry.publish_all({TRIAL: changed, OTHER: changed, attempt.newcomer: {}})
    before = accepted_and_sent(world)
    arm(world, attempt.number)
    died = False
    try:
        world.round()
    except Died:
        died = True
        after = accepted_and_sent(world)
        attempt.allowed_doubles = (after[0] - before[0]) - (after[1] - before[1])
    world.restart()
    world.mail_server.behave()
    world.later(minutes=1)
    world.round()
    world.later(days=1)
    world.round()
    return died


def check_everything_was_told_once(world: World, attempts: list[Round]) -> None:
    doubles = 0
    for reader in (READER, DAILY):
        mails = world.mail_server.to(reader)
        by_id = {mail.message_id: mail for mail in mails}
        doubles += len(mails) - len(by_id)
        texts = [mail.text for mail in by_id.values()]
        for attempt in attempts:
            # Two trials changed alike: told in one mail, or in two where the process died between them.
            assert sum(text.count(attempt.sentence) for text in texts) == 2, attempt
            last = attempt is attempts[-1]
            assert sum(attempt.newcomer in joined(text) for text in texts) == 1, attempt
            assert sum(attempt.newcomer in left(text) for text in texts) == (0 if last else 1), attempt
    assert doubles <= sum(attempt.allowed_doubles for attempt in attempts)
    assert all(attempt.allowed_doubles in {0, 1} for attempt in attempts)


def joined(text: str) -> str:
    return words(text).partition("These are the records:")[2].partition("You will hear no more")[0]


def left(text: str) -> str:
    return text.partition("You will hear no more")[2]


def live_until_a_round_gets_through(world: World, arm: Callable[[World, int], None]) -> list[Round]:
    world.watch(TRIAL, OTHER, readers=[immediate(), daily(DAILY)])
    world.begin(TRIAL, OTHER)
    attempts = []
    for number in range(1, MOST_STEPS):
        attempts.append(Round(number))
        if not live_through(world, attempts[-1], arm):
            return attempts
    pytest.fail(f"a round of more than {MOST_STEPS} steps")


@pytest.mark.parametrize("committed", [False, True], ids=["before a commit", "after a commit"])
def test_wherever_a_process_dies_every_change_is_told_once(world: World, committed: bool) -> None:  # noqa: FBT001
    attempts = live_until_a_round_gets_through(world, lambda world, n: die_at_commit(world, n, committed=committed))
    assert len(attempts) > 12
    check_everything_was_told_once(world, attempts)
    # Only between the dot and its receipt can there be a double: one such moment for each of the three mails.
    assert sum(attempt.allowed_doubles for attempt in attempts) == (0 if committed else 3)


@pytest.mark.parametrize(
    ("phase", "taken"),
    [
        pytest.param(Phase.MAIL, False, id="at MAIL"),
        pytest.param(Phase.RCPT, False, id="at RCPT"),
        pytest.param(Phase.DATA, False, id="at DATA"),
        pytest.param(Phase.DOT, False, id="at the dot, not taken"),
        pytest.param(Phase.DOT, True, id="at the dot, taken"),
    ],
)
def test_a_process_that_dies_while_it_hands_over_leaves_a_message_that_is_sent(
    world: World,
    phase: Phase,
    taken: bool,  # noqa: FBT001
) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.die_at(phase, taken=taken)
    with pytest.raises(Died):
        world.round()
    world.restart()
    world.round()
    world.round()

    mails = world.mail_server.accepted
    assert len(mails) == (2 if taken else 1)
    assert len({mail.message_id for mail in mails}) == 1
    assert len({mail.mime for mail in mails}) == 1


def test_recovering_counts_an_attempt_only_when_the_message_may_have_been_taken(world: World) -> None:
    cut_off = ((Phase.DATA, DeliveryState.DEFERRED, 0), (Phase.DOT, DeliveryState.UNCERTAIN, 1))
    for phase, state, attempts in cut_off:
        world.registry.publish(TRIAL, enrollment=100 + attempts)
        world.mail_server.die_at(phase)
        with pytest.raises(Died):
            world.round()
        world.restart()
        with world.app.database.reading() as db:
            (waiting,) = outbox.unfinished(db)
        assert (waiting.state, waiting.attempts) == (state, attempts)
        assert ("perhaps delivered" in str(waiting.reply)) is (phase is Phase.DOT)
        world.deliver()


def test_recovering_when_nothing_was_cut_off_changes_nothing(world: World) -> None:
    world.begin()
    world.registry.publish(TRIAL, status="TERMINATED")
    world.mail_server.defer(READER)
    world.round()
    assert world.app.pipeline.deliver.recover(now=world.clock()) == 0
    world.mail_server.behave()
    world.later(minutes=4)
    world.deliver()
    assert world.mail_server.accepted == []  # its five minutes still hold
