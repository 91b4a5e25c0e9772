"""The quick size of ``outages.py``: 72 hours without a server end with one catch-up."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.reliability.outages import OUTAGES, Outage, live_through, wrong_with


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.name)
def test_after_72_hours_without_a_server_each_change_is_told_once_and_everybody_heard(
    outage: Outage, tmp_path: Path
) -> None:
    course = live_through(outage, tmp_path, trials=80, every=timedelta(minutes=30))
    assert list(wrong_with(course)) == []
