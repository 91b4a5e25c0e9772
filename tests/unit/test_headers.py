"""Header lines: no text becomes more than one header, and every visible text arrives as it was written."""

import re
import unicodedata
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watcher.render.headers import (
    LINE_LIMIT,
    TEXT_LIMIT,
    address_header,
    ascii_domain,
    clean_header_text,
    header_line,
    structured_header,
)

# Whole pieces that attacks are made of, so that random texts combine them.
HOSTILE_PIECES = [
    "=?UTF-8?Q?=0A?=Bcc: x@y",
    "=?UTF-8?Q?=0ABcc:_x@y?=",
    "=?utf-8?b?Cg==?=",
    "=?",
    "?=",
    "=",
    "?",
    "\r\nBcc: x@y",
    "\n",
    "\r",
    "\n\n",
    "\r\n .\r\n",
    "\x00",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\u00ad",
    "\ufe0f",
    "\U000e0041",
    "\ud800",
    "\udfff",
    "\x1b[31m",
    "Bcc: x@y",
    ": ",
    "<x@y>",
    '"',
    "\\",
    ", ",
    "é",
    "→",
    "Straße",
    "臨床試験",
    "👩‍⚕️",
    "é ",
    " ",
]
any_char = st.characters()  # surrogates too
hostile_text = st.lists(st.one_of(st.sampled_from(HOSTILE_PIECES), st.text(any_char, max_size=20)), max_size=12).map(
    "".join
)


def parsed(*lines: bytes) -> EmailMessage:
    return message_from_bytes(b"".join(lines) + b"\r\nbody\r\n", policy=policy.default)


def decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def test_the_ends_of_lines_become_spaces_and_the_invisible_vanishes() -> None:
    assert clean_header_text("A\r\ntrial\u2028of\x85X\u00a0 \u202etxet\x00 \u200bend\ud800") == "A trial of X txet end"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        pytest.param("x=?UTF-8?Q?=0A?=Bcc: x@y", "x= ?UTF-8?Q?=0A?=Bcc: x@y", id="encoded word"),
        pytest.param("=\x00?q", "= ?q", id="encoded word that cleaning would have completed"),
        pytest.param("==??", "== ??", id="doubled"),
        pytest.param("=\n?", "= ?", id="across a line end"),
    ],
)
def test_what_would_begin_an_encoded_word_is_broken_up(text: str, cleaned: str) -> None:
    assert clean_header_text(text) == cleaned


def test_a_long_text_is_cut_with_an_ellipsis_at_the_limit() -> None:
    assert clean_header_text("ab " * 10, 9) == "ab ab ab…"
    assert clean_header_text("a" * TEXT_LIMIT) == "a" * TEXT_LIMIT
    assert clean_header_text("a" * (TEXT_LIMIT + 1)) == "a" * (TEXT_LIMIT - 1) + "…"


@given(hostile_text, st.integers(1, 250))
def test_a_cleaned_text_is_one_visible_line_within_its_limit(text: str, limit: int) -> None:
    cleaned = clean_header_text(text, limit)

    assert len(cleaned) <= limit
    assert "=?" not in cleaned
    assert cleaned == " ".join(cleaned.split())
    assert not {unicodedata.category(char) for char in cleaned} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean_header_text(cleaned, limit) == cleaned


@given(hostile_text)
@example("x=?UTF-8?Q?=0A?=Bcc: x@y")
def test_whatever_the_text_there_is_one_header_and_it_reads_as_the_cleaned_text(text: str) -> None:
    line = header_line("Subject", text)
    mail = parsed(header_line("X-Before", "a"), line, header_line("X-After", "b"))

    assert mail.keys() == ["X-Before", "Subject", "X-After"]
    assert str(mail["Subject"]) == clean_header_text(text)
    assert decoded(line.decode("ascii").removeprefix("Subject:").strip()) == clean_header_text(text)
    assert mail["Subject"].defects == ()
    assert mail.defects == []
    assert_wire_format(line)


@given(hostile_text)
@example("=?UTF-8?Q?=0ABcc:_z@x?=")
@example('a" <x@y>, "b')
@example("\\")
def test_whatever_the_display_name_there_is_one_mailbox(name: str) -> None:
    line = address_header("From", name, "watcher@example.org")
    mail = parsed(line, header_line("X-After", "b"))

    assert mail.keys() == ["From", "X-After"]
    assert [one.addr_spec for one in mail["From"].addresses] == ["watcher@example.org"]
    # Read the older way: the newer parser puts spaces between encoded words in a name (Python 3.11.7).
    [(display_name, address)] = getaddresses([line.decode("ascii").removeprefix("From: ").replace("\r\n", "")])
    assert address == "watcher@example.org"
    assert decoded(display_name) == clean_header_text(name)
    assert_wire_format(line)


def assert_wire_format(line: bytes) -> None:
    assert line.endswith(b"\r\n")
    assert re.fullmatch(rb"[ -~]+(\r\n [ -~]+)*\r\n", line), "one header: further lines begin with a space"
    assert max(map(len, line.split(b"\r\n"))) <= 78


def test_a_short_ascii_text_stays_readable_in_the_source() -> None:
    assert header_line("Subject", "[NCT00000001] Study terminated") == b"Subject: [NCT00000001] Study terminated\r\n"


def test_an_empty_text_leaves_no_white_space_behind() -> None:
    assert header_line("Subject", " \u200b\n") == b"Subject:\r\n"


@pytest.mark.parametrize("name", ["", "Sub ject", "Subject:", "Subject\r\nBcc", "Sübject", "-x"])
def test_a_name_that_is_no_header_name_is_a_bug_and_refused(name: str) -> None:
    with pytest.raises(ValueError, match="header name"):
        header_line(name, "text")


def test_a_link_is_written_on_one_line_however_long() -> None:
    link = f"<https://watch.example.org/u/{'t' * 300}>, <mailto:unsub@example.org>"
    assert structured_header("List-Unsubscribe", link) == f"List-Unsubscribe: {link}\r\n".encode()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("<a@b>\r\nBcc: x@y", id="a line end"),
        pytest.param("<a@b>\x00", id="a control character"),
        pytest.param("<ä@b>", id="not ASCII"),
        pytest.param("x" * LINE_LIMIT, id="too long"),
        pytest.param(" ", id="nothing"),
    ],
)
def test_a_value_with_a_grammar_is_refused_rather_than_repaired(value: str) -> None:
    with pytest.raises(ValueError, match="header References"):
        structured_header("References", value)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        pytest.param("Reader@Example.ORG", "Reader@example.org", id="a domain in capitals"),
        pytest.param("reader@bücher.example", "reader@xn--bcher-kva.example", id="a domain in another script"),
        pytest.param("reader@XN--BCHER-KVA.example", "reader@xn--bcher-kva.example", id="an A-label already"),
        pytest.param("müller@bücher.example", "müller@xn--bcher-kva.example", id="a local part in another script"),
        pytest.param("root@localhost", "root@localhost", id="a single label"),
        pytest.param("a@b_c.example", "a@b_c.example", id="an underscore, which exists in practice"),
    ],
)
def test_a_domain_is_written_in_ascii(address: str, written: str) -> None:
    assert ascii_domain(address) == written


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("reader@example.org\r\nBcc: x@y", id="a line end after it"),
        pytest.param("reader\r\n@example.org", id="a line end in the local part"),
        pytest.param("reader@exa\nmple.org", id="a line end in the domain"),
        pytest.param("reader@bü\u2028cher.example", id="a line separator in a domain of another script"),
        pytest.param("reader>@example.org", id="an angle bracket"),
        pytest.param("a b@example.org", id="a space"),
        pytest.param("a,b@example.org", id="a comma"),
        pytest.param('"a b"@example.org', id="quotes"),
        pytest.param("a@b@example.org", id="two at signs"),
        pytest.param("\u202eredaer@example.org", id="a bidirectional control"),
        pytest.param("reader", id="no domain"),
        pytest.param("@example.org", id="no local part"),
        pytest.param("reader@", id="an empty domain"),
        pytest.param("reader@bü..example", id="an empty label"),
        pytest.param("reader@\ud800.example", id="half a surrogate pair"),
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        address_header("To", "", address)


def test_an_address_that_ascii_cannot_write_is_named_by_an_empty_group() -> None:
    line = address_header("To", "", "müller@bücher.example")
    mail = parsed(line)

    assert_wire_format(line)
    assert mail["To"].addresses == ()
    assert [group.display_name for group in mail["To"].groups] == ["müller@xn--bcher-kva.example"]
