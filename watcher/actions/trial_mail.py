"""One mail to see whether mails arrive: through the real channel, past the outbox."""

import secrets

from watcher.app import Application
from watcher.config.values import normalise_address
from watcher.errors import SettingsError
from watcher.model import Message, Receipt
from watcher.render.mime import compose_mime

_TEXT = """This is a test of trialwatch's mail settings.

If you can read it, digests will arrive here too. Nothing changed in any trial.
"""


def send_test_mail(app: Application, address: str) -> Receipt:
    """Hand a test mail over now.

    Raises:
        SettingsError: not an address.
        MailError: it was not taken; the server's words are in it.
    """
    try:
        recipient = normalise_address(address)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    mail = app.settings.mail
    key = secrets.token_hex(16)
    message_id = f"<{key}@{mail.domain}>"
    subject = "trialwatch: test mail"
    mime = compose_mime(
        text=_TEXT,
        html=f"<!DOCTYPE html><html lang='en'><head><title>{subject}</title></head><body><p>{_TEXT}</p></body></html>",
        headers=[],
        sender=(mail.sender_name, mail.sender),
        recipient=recipient,
        subject=subject,
        message_id=message_id,
        date=app.now(),
    )
    message = Message(
        id=key, message_id=message_id, sender=mail.sender, recipient=recipient, subject=subject, mime=mime
    )
    with app.channel.session() as session:
        return session.send(message, on_phase=lambda _phase: None)
