"""The quick size of ``power_cuts.py``: what was acknowledged outlives a power cut, and a loss would be found."""

from pathlib import Path

import pytest

from tests.reliability.power_cuts import VARIANTS, Variant, broken, play


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_what_was_acknowledged_outlives_a_power_cut_or_its_loss_is_found(variant: Variant, tmp_path: Path) -> None:
    life, figures = play(variant, tmp_path, count=100, lives=2, steps=8)
    assert broken(variant, life, figures) == []
    assert figures.cuts == 100
    assert figures.resumed == (2 if variant.must_hold else 0)
