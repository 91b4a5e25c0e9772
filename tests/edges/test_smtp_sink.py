"""The same mails, taken by a mail server that somebody else wrote: Postfix's ``smtp-sink``, where it is installed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edges.sample_mail import DIFFICULT_BODIES, ignore_phase, message
from watcher.notify.smtp import Security, SmtpChannel, SmtpServer

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
PATIENCE = 10.0  # seconds

pytestmark = pytest.mark.skipif(SINK is None, reason="smtp-sink (part of Postfix) is not installed")


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[SmtpServer]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    dump = tmp_path / "dump"
    dump.touch(mode=0o666)
    dump.chmod(0o666)
    tmp_path.chmod(0o777)
    arguments = [str(SINK), *as_user, "-D", "dump", f"127.0.0.1:{port}", "16"]
    with subprocess.Popen(arguments, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        try:
            wait_until_it_listens(process, port)
            yield SmtpServer(host="127.0.0.1", port=port, security=Security.NONE, local_hostname="client.test")
        finally:
            process.terminate()


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            continue
        return
    pytest.fail("smtp-sink did not begin to listen")


def test_another_server_takes_the_same_mails_once_and_unchanged(sink: SmtpServer, tmp_path: Path) -> None:
    with SmtpChannel(sink).session() as session:
        for number, body in enumerate(DIFFICULT_BODIES.values()):
            session.send(message(number, body=body), on_phase=ignore_phase)

    taken = (tmp_path / "dump").read_bytes()
    assert taken.count(b"\nX-Mail-Args: ") == len(DIFFICULT_BODIES)
    for number, body in enumerate(DIFFICULT_BODIES.values()):
        assert taken.count(message(number, body=body).mime.replace(b"\r\n", b"\n")) == 1
