"""From the settings of mail to what sends it, signs it, and reads mailboxes.

Connects to nothing yet.
"""

from watcher.config import Settings
from watcher.config.sections.imap import ImapSettings
from watcher.config.sections.mail import OAuth2Settings
from watcher.notify.allow_list import AllowListChannel
from watcher.notify.channel import Channel, Journal
from watcher.notify.files import FileChannel
from watcher.notify.imap_connection import ImapSecurity, ImapServer
from watcher.notify.journal import ImapJournal
from watcher.notify.oauth2 import OAuth2Client, TokenSource
from watcher.notify.smtp import SmtpChannel
from watcher.notify.smtp_server import Security, SmtpServer
from watcher.stages.writing import Signs


def mail_channel(settings: Settings, journal: Journal | None) -> Channel:
    """Return what takes mails: a mail server, or files as long as there is none."""
    smtp = settings.mail.smtp
    if smtp is None:
        return FileChannel(settings.mail.directory)
    server = SmtpServer(
        host=smtp.host,
        port=smtp.port,
        security=Security(smtp.security),
        username=smtp.username,
        password=smtp.password.get_secret_value() if smtp.password else None,
        tokens=_tokens(smtp.oauth2) if smtp.oauth2 else None,
        ca_bundle=smtp.ca_bundle,
        connect_timeout=smtp.connect_timeout,
        command_timeout=smtp.command_timeout,
        dot_timeout=smtp.dot_timeout,
        local_hostname=settings.mail.domain,
    )
    return SmtpChannel(server, journal=journal.address if journal else None)


def behind_allow_list(settings: Settings, channel: Channel) -> Channel:
    """Return the channel of mails, behind the list of who may get any if there is one."""
    return AllowListChannel(channel, settings.mail.only_to) if settings.mail.only_to else channel


def _tokens(oauth2: OAuth2Settings) -> TokenSource:
    client = OAuth2Client(
        token_url=oauth2.token_url,
        client_id=oauth2.client_id,
        client_secret=oauth2.client_secret.get_secret_value(),
        scope=oauth2.scope,
        ca_bundle=oauth2.ca_bundle,
    )
    return TokenSource(client)


def mail_journal(settings: Settings) -> Journal | None:
    """Return the mailbox that knows what the mail server has taken; files need none: one written twice is one file."""
    journal = settings.mail.journal
    if journal is None or settings.mail.smtp is None:
        return None
    return ImapJournal(imap_server(journal.imap), address=journal.address)


def imap_server(imap: ImapSettings) -> ImapServer:
    """Return the mailbox that a section of the settings names."""
    return ImapServer(
        host=imap.host,
        port=imap.port,
        security=ImapSecurity(imap.security),
        username=imap.username,
        password=imap.password.get_secret_value() if imap.password else "",
        ca_bundle=imap.ca_bundle,
        folder=imap.folder,
        timeout=imap.timeout,
        deadline=imap.deadline,
    )


def mail_signer(settings: Settings) -> Signs | None:
    """Return what signs mails by DKIM, if the settings want that."""
    dkim = settings.mail.dkim
    if dkim is None:
        return None
    from watcher.render.signing import Signer, read_key  # late: the library is for those who sign

    return Signer(domain=dkim.domain, selector=dkim.selector, key=read_key(dkim.key_file.read_bytes()))
