"""A throw-away Postfix and Dovecot for tests, which end when the process of the tests ends, however that ends.

    with running_mail_office() as office:
        reader = office.new_address("reader")
        SmtpChannel(office.smtp_server()) …
        office.wait_for_mails(reader, 1)

A shell guards the servers: it starts them, waits until its standard input is closed, and stops them.  Does not install
anything, does not listen beyond this machine, and does not keep what was delivered.
"""

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import count
from pathlib import Path

import trustme
from imap_tools import MailBox

from tests.mail_office.configuration import DOMAIN, PASSWORD, Ports, write_configuration
from watcher.notify.imap_connection import ImapSecurity, ImapServer
from watcher.notify.smtp import Security, SmtpServer

PATIENCE = 30.0  # seconds for a mail to arrive
_LOOK = 0.3  # seconds after which the mailbox is looked at although the server reports nothing
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])  # where daemons are
_GUARD = """
trap '' PIPE  # nobody may be left to read "ready"; the servers have to be stopped all the same
export PATH="$2"
chown postfix "$1/data" && chown nobody "$1/mail" || exit 1
postfix -c "$1/postfix" check >"$1/postfix.start" 2>&1
mkdir -p "$1/queue/private"
stop() {
    postfix -c "$1/postfix" stop >"$1/postfix.stop" 2>&1
    kill "$(cat "$1/dovecot/run/master.pid")" 2>/dev/null
    cd / && rm -rf "$1"
}
dovecot -c "$1/dovecot/dovecot.conf" >"$1/dovecot.start" 2>&1 || exit 1
postfix -c "$1/postfix" start >>"$1/postfix.start" 2>&1 || {
    cat "$1/postfix.start" "$1/postfix/log"
    stop "$1"
    exit 1
}
echo ready
read -r _
stop "$1"
"""


class NotInstalledError(Exception):
    """This machine cannot run the servers; the text says what is missing."""


@dataclass(slots=True)
class MailOffice:
    """The running servers.  Every address of the domain is a mailbox."""

    folder: Path
    ports: Ports
    ca_bundle: Path
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_address(self, name: str) -> str:
        """Return an address that no other test uses; mail to ``configuration.LOST`` and ``FULL`` comes back."""
        return f"{name}-{next(self._numbers)}@{DOMAIN}"

    def smtp_server(self) -> SmtpServer:
        """Return where mail is handed over, with a verified certificate and a login."""
        return SmtpServer(
            host="localhost",
            port=self.ports.submission,
            security=Security.STARTTLS,
            username=f"trialwatch@{DOMAIN}",
            password=PASSWORD,
            ca_bundle=self.ca_bundle,
            local_hostname="client.test",
        )

    def imap_server(self, address: str, *, security: ImapSecurity = ImapSecurity.TLS) -> ImapServer:
        """Return how the program reads somebody's mailbox."""
        return ImapServer(
            host="localhost",
            port=self.ports.imaps if security is ImapSecurity.TLS else self.ports.imap,
            security=security,
            username=address,
            password=PASSWORD,
            ca_bundle=self.ca_bundle,
            timeout=timedelta(seconds=20),
        )

    @contextmanager
    def mailbox(self, address: str) -> Iterator[MailBox]:
        """Open somebody's mailbox by another IMAP client than the program's own."""
        context = ssl.create_default_context(cafile=self.ca_bundle)
        box = MailBox("localhost", port=self.ports.imaps, ssl_context=context, timeout=PATIENCE)
        with box.login(address, PASSWORD) as opened:
            yield opened

    def mails(self, address: str) -> list[bytes]:
        """Return what somebody's mailbox holds, oldest first, as it was delivered; it stays unread."""
        with self.mailbox(address) as box:
            return _mails(box)

    def wait_for_mails(self, address: str, least: int) -> list[bytes]:
        """Return somebody's mails as soon as there are so many; or fail."""
        deadline = time.monotonic() + PATIENCE
        with self.mailbox(address) as box:
            while len(found := _mails(box)) < least:
                assert time.monotonic() < deadline, f"{least} mails for {address}: {len(found)} came; {self.words()}"
                box.idle.wait(timeout=_LOOK)
            return found

    def words(self) -> str:
        """Return the end of the servers' logs."""
        logs = [self.folder / "postfix/log", self.folder / "dovecot/log"]
        return "\n".join(log.read_text(errors="replace")[-3000:] for log in logs if log.exists())


def _mails(box: MailBox) -> list[bytes]:
    found = []
    for uid in box.uids("ALL"):
        answer = box.client.uid("FETCH", uid, "(BODY.PEEK[])")[1]
        found += [one[1] for one in answer if isinstance(one, tuple)]
    return found


@contextmanager
def running_mail_office() -> Iterator[MailOffice]:
    """Run the servers for the time of the block.

    Raises:
        NotInstalledError: they are not there, or this is not root, as which alone Postfix starts.
    """
    _check_installed()
    folder = Path(tempfile.mkdtemp(prefix="mail-office-"))
    try:
        folder.chmod(0o755)  # the servers give up root, and must find their files all the same
        ports = _free_ports()
        authority = trustme.CA()
        authority.issue_cert("localhost", f"mail.{DOMAIN}", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            str(folder / "server.pem")
        )
        (folder / "server.pem").chmod(0o600)
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        write_configuration(folder, ports)
        with _guarded_servers(folder):
            yield MailOffice(folder=folder, ports=ports, ca_bundle=folder / "ca.pem")
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # there only when the servers did not start


@contextmanager
def _guarded_servers(folder: Path) -> Iterator[None]:
    with subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(folder), _PATH],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        start_new_session=True,  # an interrupt from the keyboard is for the tests; they end the servers
    ) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        said = guard.stdout.readline()
        if said != b"ready\n":
            words = said + guard.stdout.read()
            raise RuntimeError(f"the mail servers did not start: {words.decode(errors='replace')[-3000:]}")
        yield
        guard.stdin.close()


def _check_installed() -> None:
    missing = [name for name in ("postfix", "dovecot") if shutil.which(name, path=_PATH) is None]
    if missing:
        raise NotInstalledError(f"{' and '.join(missing)} not installed (Debian: postfix dovecot-imapd dovecot-lmtpd)")
    if not Path("/usr/lib/dovecot/imap").exists() or not Path("/usr/lib/dovecot/lmtp").exists():
        raise NotInstalledError("Dovecot is not complete (Debian: dovecot-imapd dovecot-lmtpd)")
    if os.geteuid() != 0:
        raise NotInstalledError("Postfix starts as root only, and this is not root")


def _free_ports() -> Ports:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(len(fields(Ports)))]
        numbers = [int(one.getsockname()[1]) for one in sockets]
    return Ports(**{port.name: number for port, number in zip(fields(Ports), numbers, strict=True)})
