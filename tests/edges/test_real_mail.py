"""Through a real Postfix into a real Dovecot and back: what is handed over arrives once, as it was."""

from dataclasses import replace

import pytest

from tests.edges.sample_mail import DIFFICULT_BODIES, ignore_phase, message
from tests.mail_office.servers import MailOffice
from watcher.errors import ChannelRefused
from watcher.notify.journal import ImapJournal
from watcher.notify.smtp import Security, SmtpChannel


def test_every_difficult_body_arrives_once_and_byte_for_byte(mail_office: MailOffice) -> None:
    reader = mail_office.new_address("reader")
    bodies = [body or b"\r\n" for body in DIFFICULT_BODIES.values()]
    sent = [replace(message(number, body=body), recipient=reader) for number, body in enumerate(bodies)]
    with SmtpChannel(mail_office.smtp_server()).session() as session:
        for one in sent:
            assert session.send(one, on_phase=ignore_phase).reply.startswith("250 2.0.0 Ok: queued as")

    arrived = mail_office.wait_for_mails(reader, len(sent))
    assert len(arrived) == len(sent)
    by_id = {one.message_id: one.mime for one in sent}
    for mail in arrived:
        (message_id,) = [one for one in by_id if one.encode() in mail]
        # Servers write their trace before a message, and change nothing of it.
        assert mail.endswith(by_id.pop(message_id))


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_mail_is_handed_over_by_both_kinds_of_tls(mail_office: MailOffice, security: Security) -> None:
    reader = mail_office.new_address("reader")
    ports = {Security.STARTTLS: mail_office.ports.submission, Security.TLS: mail_office.ports.submissions}
    server = replace(mail_office.smtp_server(), security=security, port=ports[security])
    with SmtpChannel(server).session() as session:
        session.send(message(recipient=reader), on_phase=ignore_phase)
    assert len(mail_office.wait_for_mails(reader, 1)) == 1


def test_a_wrong_password_is_refused_by_a_real_server(mail_office: MailOffice) -> None:
    server = replace(mail_office.smtp_server(), password="wrong")
    with pytest.raises(ChannelRefused, match="535"), SmtpChannel(server).session():
        pass


def test_the_journal_knows_what_it_holds_and_nothing_else(mail_office: MailOffice) -> None:
    address = mail_office.new_address("journal")
    journal = ImapJournal(mail_office.imap_server(address), address=address)
    sent = message(recipient=address)
    assert not journal.holds(sent.message_id)

    with SmtpChannel(mail_office.smtp_server()).session() as session:
        session.send(sent, on_phase=ignore_phase)
    mail_office.wait_for_mails(address, 1)

    assert journal.address == address
    assert journal.holds(sent.message_id)
    assert not journal.holds(sent.message_id.replace("@", "0@"))
    # Parts of an ID, and other spellings, are found by the search of IMAP, and are other messages.
    assert not journal.holds("<" + sent.message_id[5:])
    assert not journal.holds(sent.message_id.upper())
    assert not journal.holds("<@>")
