"""``disks.py`` is quick as it is: a disk that fails under the service delays what is told, and no more."""

from pathlib import Path

import pytest

from tests.reliability.disks import FAULTS, Fault, NotPossible, live_through, start_on_a_bad_disk


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_disk_that_fails_under_the_service_delays_what_is_told_and_no_more(fault: Fault, tmp_path: Path) -> None:
    try:
        figures = live_through(fault, tmp_path)
    except NotPossible as why:
        pytest.skip(str(why))
    assert figures.wrong == []
    assert figures.faults == 3
    assert figures.failures >= 9
    assert figures.changes == 4


def test_a_service_that_starts_on_a_bad_disk_says_so_and_works_when_it_is_well(tmp_path: Path) -> None:
    try:
        wrong = start_on_a_bad_disk(tmp_path)
    except NotPossible as why:
        pytest.skip(str(why))
    assert wrong == []
