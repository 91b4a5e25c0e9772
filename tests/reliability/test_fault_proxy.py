"""The quick size of the proof: each form of each answer, cut at some places."""

from tests.reliability.fault_proxy import BOUND, run


def test_no_fault_of_the_network_makes_a_record_that_is_none() -> None:
    tally = run(150)
    assert tally.wrong == []
    assert set(tally.faults) == {"closed", "reset", "whole", "latency", "rate", "black hole", "refused connection"}
    assert tally.faults["closed"] > 50
    assert tally.faults["reset"] > 50
    assert {"unreachable", "not_json", "missing", "not_found", "aliased"} <= set(tally.reasons)
    assert tally.true >= 8
    assert tally.peak - tally.base < BOUND
