"""The order in which the events of a results submission happened."""

import pytest

from watcher.core.words.submissions import Event, in_order


def event(kind: str, date: str | None = "2026-03-02") -> Event:
    return {"type": kind, **({"date": date} if date else {"dateUnknown": True})}


EARLIER = [event("RELEASE", "2026-02-10")]


@pytest.mark.parametrize(
    ("listed", "after", "happened"),
    [
        pytest.param(
            [event("RESET", "2026-03-09"), event("RELEASE")],
            [],
            ["RELEASE", "RESET"],
            id="by day, whatever the list says",
        ),
        pytest.param(
            [event("RELEASE"), event("UNRELEASE"), event("RELEASE")],
            [],
            ["RELEASE", "UNRELEASE", "RELEASE"],
            id="submitted, cancelled and submitted again on one day",
        ),
        pytest.param(
            [event("RELEASE"), event("UNRELEASE")],
            EARLIER,
            ["UNRELEASE", "RELEASE"],
            id="what is submitted can be cancelled first",
        ),
        pytest.param(
            [event("RELEASE"), event("RESET")], [], ["RELEASE", "RESET"], id="what is not submitted cannot be returned"
        ),
        pytest.param(
            [event("RELEASE"), event("UNRELEASE", None), event("RELEASE", "2026-03-09")],
            [],
            ["RELEASE", "UNRELEASE", "RELEASE"],
            id="an event without a date stays where it is listed",
        ),
        pytest.param([event("NEW_KIND"), event("RESET")], EARLIER, ["NEW_KIND", "RESET"], id="a kind nobody knows"),
        pytest.param([], EARLIER, [], id="nothing new"),
    ],
)
def test_events_are_told_in_the_order_in_which_they_happened(
    listed: list[Event], after: list[Event], happened: list[str]
) -> None:
    assert [one["type"] for one in in_order(listed, after=after)] == happened
