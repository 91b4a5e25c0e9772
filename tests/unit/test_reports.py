"""Mails that come back, read: what kind each is, which message it is about, and what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports import BOUNCES, complaint, delivery_status, holiday, qmail
from watcher.core.bounces import Form, Meaning, Report, Why, judge, return_address
from watcher.notify.reports import read_report

TOKEN = "0123456789abcdef01234567"
RETURN = return_address(BOUNCES, "+", TOKEN)
READER = "reader@example.org"
QUOTED = "<q@example.org>"


def read(mail: bytes) -> Report:
    return read_report(mail, address=BOUNCES, delimiter="+")


def plain(headers: str, text: str = "Text.") -> bytes:
    lines = f"{headers}\n\n{text}\n"
    return lines.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("mail", "form"),
    [
        (delivery_status(), Form.DELIVERY_STATUS),
        (qmail(), Form.OLD_BOUNCE),
        (complaint(), Form.COMPLAINT),
        (complaint(kind="not-spam"), Form.OTHER),
        (holiday(), Form.AUTOMATIC_REPLY),
        (plain("From: r@example.org\nSubject: Out of Office: until Monday"), Form.AUTOMATIC_REPLY),
        (plain("From: r@example.org\nPrecedence: auto_reply\nSubject: x"), Form.AUTOMATIC_REPLY),
        (plain("From: r@example.org\nX-Autoreply: yes\nSubject: x"), Form.AUTOMATIC_REPLY),
        (plain("From: r@example.org\nAuto-Submitted: no\nSubject: Re: x"), Form.OTHER),
        (plain("From: Reader <r@example.org>\nSubject: failure notice", "<x@y.org>:\n550 5.1.1"), Form.OTHER),
        (plain("From: MAILER-DAEMON@example.net\nSubject: hello"), Form.OTHER),
        (b"", Form.OTHER),
        (b"\x00\xff\r\n\r\n\x80", Form.OTHER),
    ],
    ids=[
        "the standard form",
        "qmail's form",
        "a complaint",
        "the contrary of a complaint",
        "a holiday by RFC 3834",
        "a holiday by its subject",
        "a holiday by its precedence",
        "a holiday by a header of its own",
        "an answer by a person",
        "a person who writes like a server",
        "a server that says nothing",
        "nothing",
        "no mail at all",
    ],
)
def test_each_kind_of_mail_is_known(mail: bytes, form: Form) -> None:
    assert read(mail).form is form


def test_the_standard_form_is_read_field_by_field() -> None:
    report = read(delivery_status(RETURN, quoting=QUOTED, report_id="<own@x>", original_recipient="r2@example.org"))
    (outcome,) = report.outcomes
    assert report.report_id == "<own@x>"
    assert report.tokens == (TOKEN,)
    assert report.quoted == (QUOTED,)
    assert outcome.addresses == ("r2@example.org", READER)
    assert (outcome.action, outcome.status) == ("failed", "5.1.1")
    assert outcome.diagnostic == "smtp; 550 5.1.1 <reader@example.org>: user unknown"


def test_a_report_in_the_form_for_international_addresses_is_read_too() -> None:
    report = read(delivery_status(RETURN).replace(b"message/delivery-status", b"message/global-delivery-status"))
    assert judge(report, READER, by_token=True).why is Why.NO_SUCH_ADDRESS


def test_a_report_of_an_old_form_is_read_with_the_servers_words_and_the_message_that_it_quotes() -> None:
    report = read(qmail(quoting=QUOTED))
    verdict = judge(report, READER, by_token=False)
    assert report.quoted == (QUOTED,)
    assert (verdict.meaning, verdict.why) == (Meaning.LOST, Why.NO_SUCH_ADDRESS)
    assert verdict.outcome is not None
    assert verdict.outcome.diagnostic == "Remote host said: 550 5.1.1 No such user here"


def test_a_report_of_exim_is_no_automatic_reply_though_it_says_so() -> None:
    mail = plain(
        f"From: Mail Delivery System <Mailer-Daemon@example.net>\nTo: {RETURN}\nAuto-Submitted: auto-replied\n"
        f"X-Failed-Recipients: {READER}\nSubject: Mail delivery failed: returning message to sender",
        f"A message that you sent could not be delivered.\n\n  {READER}\n    550 5.1.1 no such user",
    )
    verdict = judge(read(mail), READER, by_token=False)
    assert verdict.why is Why.NO_SUCH_ADDRESS


@pytest.mark.parametrize("name", ["To", "Delivered-To", "X-Original-To", "Envelope-To", "Cc"])
def test_the_return_address_is_found_wherever_a_server_writes_it(name: str) -> None:
    assert read(plain(f"{name}: Somebody <{RETURN.upper()}>, x@example.org\nSubject: x")).tokens == (TOKEN,)


@pytest.mark.parametrize(
    "address",
    [
        f"bounces+{TOKEN}@example.com",
        f"bounces+{TOKEN}@example.org.evil.net",
        f"xbounces+{TOKEN}@example.org",
        f"bounces+{TOKEN}a@example.org",
        f"bounces-{TOKEN}@example.org",
        "bounces+short@example.org",
    ],
)
def test_what_only_looks_like_a_return_address_is_none(address: str) -> None:
    assert read(plain(f"To: <{address}>\nSubject: x")).tokens == ()


def test_a_complaint_names_the_message_and_the_reader() -> None:
    report = read(complaint(quoting=QUOTED))
    assert report.quoted == (QUOTED,)
    assert [one.addresses for one in report.outcomes] == [(READER,)]


def test_a_mail_without_a_message_id_is_known_by_its_bytes() -> None:
    first, second = read(plain("Subject: x")), read(plain("Subject: y"))
    assert first.report_id == read(plain("Subject: x")).report_id != second.report_id


def test_the_servers_words_can_neither_break_a_line_nor_go_on_for_ever() -> None:
    words = "smtp; 550 5.1.1 " + "x" * 5000 + "\x1b[2J"
    (outcome,) = read(delivery_status(diagnostic=words)).outcomes
    assert outcome.diagnostic is not None
    assert outcome.diagnostic.isprintable()
    assert len(outcome.diagnostic) <= 500


def test_a_mail_of_thousands_of_parts_is_read_in_bounded_time() -> None:
    boxes = b"".join(b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n" for _ in range(20_000))
    assert read(b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' + boxes).form is Form.OTHER


@given(st.binary(max_size=2000))
def test_any_bytes_are_read(mail: bytes) -> None:
    assert read(mail).report_id


@given(st.sampled_from([delivery_status(RETURN), qmail(RETURN), complaint(RETURN), holiday(RETURN)]), st.data())
def test_a_report_that_is_cut_or_damaged_anywhere_is_read(mail: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(mail)))
    junk = data.draw(st.binary(max_size=20))
    rest = data.draw(st.integers(0, len(mail)))
    assert read(mail[:cut] + junk + mail[rest:]).report_id
