"""The quick size of ``kills``: a life ends in each step, and several between the final dot and its record."""

import random
from pathlib import Path

import pytest

from tests.mail_office.servers import MailOffice
from tests.reliability.kills import STEPS, run
from tests.reliability.nursery import Blow
from tests.reliability.steps import TALKING, WATCHING, Step

_AT_THE_DOT = 4  # lives: on a busy machine one that is aimed there may end a moment later
BLOWS = [Blow(after=0, steps=frozenset({step}), at_most=5.0) for step in [*sorted(STEPS), *[Step.DOT] * _AT_THE_DOT]]


@pytest.mark.parametrize("journal", [True, False], ids=["with a journal", "without a journal"])
def test_wherever_the_daemon_is_killed_every_change_arrives_and_with_a_journal_once(
    mail_office: MailOffice,
    tmp_path: Path,
    journal: bool,  # noqa: FBT001
) -> None:
    report = run(mail_office, tmp_path, BLOWS, journal=journal, chance=random.Random(4711))

    assert report.failures(steps=[Step.DOT]) == []
    assert report.kills == len(BLOWS)
    assert report.verdict.published > len(BLOWS)
    assert sum(report.struck[step] for step in WATCHING) > 0
    assert sum(report.struck[step] for step in TALKING) > _AT_THE_DOT
