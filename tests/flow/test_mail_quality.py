"""The mails pass the judges of `tests/mail_quality`, in the quick size; `python -m tests.mail_quality` runs it all."""

import random

import pytest

from tests.mail_quality.__main__ import QUICK_SUBJECTS, mails
from tests.mail_quality.judges import JUDGES, REQUIRED, Judge, wrong_subjects


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.name)
def test_mails_pass_the_judge_of(judge: Judge) -> None:
    lacks = judge.lacks()
    if lacks:
        assert not REQUIRED, lacks
        pytest.skip(lacks)
    assert judge.judge(mails(quick=True)) == []


def test_random_subjects_come_back_as_they_were_and_bring_no_other_header() -> None:
    assert wrong_subjects(QUICK_SUBJECTS, chance=random.Random(2)) == []


@pytest.mark.parametrize("part", ["html", "subject"])
def test_no_mail_asks_for_anything_of_others(part: str) -> None:
    for mail in mails(quick=True):
        text = mail.html if part == "html" else mail.subject
        assert not any(mark in text for mark in ("src=", "url(", "@import", "<link", "<script", "background="))
