"""Mails that come back, as servers and people write them; all names are invented."""

from itertools import count

BOUNCES = "bounces@example.org"
_numbers = count(1)


def delivery_status(
    to: str = BOUNCES,
    *,
    recipient: str = "reader@example.org",
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <reader@example.org>: user unknown",
    quoting: str = "<0@example.org>",
    report_id: str | None = None,
    original_recipient: str | None = None,
) -> bytes:
    """Return a report of the standard form, as Postfix writes it."""
    own = report_id or f"<{next(_numbers)}@mail.example.net>"
    original = f"Original-Recipient: rfc822;{original_recipient}\n" if original_recipient else ""
    return _mail(f"""\
Return-Path: <>
Date: Mon, 2 Mar 2026 13:00:00 +0000
From: MAILER-DAEMON@mail.example.net (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_report"
Message-Id: {own}

This is a MIME-encapsulated message.

--=_report
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

--=_report
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.net
Arrival-Date: Mon, 2 Mar 2026 12:59:59 +0000

{original}Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--=_report
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: trialwatch <trialwatch@example.org>
To: {recipient}
Subject: [NCT00000001] Study suspended
Message-ID: {quoting}

--=_report--
""")


def complaint(
    to: str = BOUNCES,
    *,
    kind: str = "abuse",
    recipient: str | None = "reader@example.org",
    quoting: str = "<0@example.org>",
) -> bytes:
    """Return a complaint as RFC 5965 has it."""
    named = f"Original-Rcpt-To: <{recipient}>\n" if recipient else ""
    return _mail(f"""\
From: <abusedesk@example.net>
To: {to}
Subject: FW: a mail
Message-ID: <{next(_numbers)}@example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_part"

--=_part
Content-Type: text/plain; charset=us-ascii

This is an email abuse report for a mail received from 192.0.2.2.

--=_part
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
{named}
--=_part
Content-Type: message/rfc822

From: <trialwatch@example.org>
Message-ID: {quoting}
Subject: a mail

Text.
--=_part--
""")


def holiday(to: str = BOUNCES, *, answering: str = "<0@example.org>", headers: str = "") -> bytes:
    """Return what somebody's mailbox writes while they are away."""
    return _mail(f"""\
Return-Path: <>
From: Reader <reader@example.org>
To: {to}
Subject: Automatic reply: [NCT00000001] Study suspended
In-Reply-To: {answering}
References: {answering}
Message-ID: <{next(_numbers)}@example.net>
Auto-Submitted: auto-replied (vacation)
{headers}
I am away until Monday.  550 5.1.1 user unknown.
""")


def qmail(to: str = BOUNCES, *, recipient: str = "reader@example.org", quoting: str = "<0@example.org>") -> bytes:
    """Return a report of qmail's own form."""
    return _mail(f"""\
Return-Path: <>
From: MAILER-DAEMON@mail.example.net
To: {to}
Subject: failure notice
Date: 2 Mar 2026 13:00:00 -0000
Message-ID: <{next(_numbers)}.qmail@mail.example.net>

Hi. This is the qmail-send program at mail.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{recipient}>:
192.0.2.7 does not like recipient.
Remote host said: 550 5.1.1 No such user here

--- Below this line is a copy of the message.

Return-Path: <trialwatch@example.org>
From: trialwatch <trialwatch@example.org>
To: {recipient}
Message-ID: {quoting}
Subject: [NCT00000001] Study suspended

Text.
""")


def _mail(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
