"""The quick size of the proof: a few texts in some leaves and in all at once; and that its judges see what is wrong."""

import csv
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from tests.reliability.browser import find_browser, look_into
from tests.reliability.harmless import (
    elements_of_templates,
    wrong_in_calendar,
    wrong_in_csv,
    wrong_in_document,
    wrong_in_feed,
    wrong_in_html,
    wrong_in_terminal,
)
from tests.reliability.hostile_text import run
from tests.reliability.hostile_texts import HOSTILE

SOME = ("an element", "a formula", "a terminal's link")


@pytest.mark.parametrize("name", SOME)
def test_a_hostile_text_stays_text_wherever_it_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tally = run([name], stride=120)
    assert tally.wrong == []
    assert tally.leaves > 340
    kinds = {"mail", "webhook", "feed", "command", "text/csv", "text/calendar", "printed characters"}
    assert kinds <= set(tally.seen)
    assert tally.seen["command"] > 30
    assert tally.seen["printed characters"] > 50_000


def table(*cells: str) -> bytes:
    written = StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow(cells)
    return written.getvalue().encode("utf-8-sig")


CALENDAR = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
FEED = '<feed xmlns="http://www.w3.org/2005/Atom"><id>a</id><title>t</title><updated>2026-03-02T00:00:00Z</updated>{}</feed>'


@pytest.mark.parametrize(
    ("judge", "good", "bad"),
    [
        pytest.param(wrong_in_html, "<p>x</p>", "<p>x</p><script>x</script>", id="an element"),
        pytest.param(wrong_in_html, "<p>x</p>", "<p onclick=x>x</p>", id="an attribute"),
        pytest.param(wrong_in_html, "<p>x</p>", '<p><a href="javascript:x">x</a></p>', id="a link"),
        pytest.param(wrong_in_html, "<p>x</p>", "<p>\u202ex</p>", id="a direction"),
        pytest.param(wrong_in_html, "<p>x</p>", "<p>x</p><!-- x -->", id="a comment"),
        pytest.param(wrong_in_csv, table("x", "'=1"), table("x", "=1"), id="a formula"),
        pytest.param(wrong_in_csv, table("x", "y"), table("x", "\uff1d1"), id="a formula in wide letters"),
        pytest.param(
            wrong_in_calendar,
            CALENDAR.format("x").encode(),
            CALENDAR.format("x\r\nATTACH:x").encode(),
            id="a calendar line",
        ),
        pytest.param(wrong_in_feed, FEED.format("").encode(), FEED.format("<script/>").encode(), id="a feed element"),
        pytest.param(wrong_in_document, b'{"a":"x"}', b'{"a":"\\u001b"}', id="a control character in a document"),
        pytest.param(wrong_in_terminal, "x\ny", "x\x9b2J", id="a terminal's command"),
        pytest.param(wrong_in_terminal, "x\ny", "x\ty", id="a tab"),
    ],
)
def test_a_judge_sees_what_is_wrong(judge: Callable[[object], Iterator[str]], good: object, bad: object) -> None:
    assert list(judge(good)) == []
    assert list(judge(bad)) != []


def test_the_browser_is_asked_what_it_did() -> None:
    browser = find_browser()
    if browser is None:
        pytest.skip("Chromium is not installed")
    look = look_into(browser, ["<p>fine</p>", f"<p>x</p>{HOSTILE['a script']}{HOSTILE['an element']}"])
    assert look.frames == 2
    assert {"script", "svg"} <= set(look.heard)
    assert any("canary" in address for address in look.fetched)
    wrong = look.wrong(elements_of_templates())
    assert "element or attribute ('script', '')" in wrong
