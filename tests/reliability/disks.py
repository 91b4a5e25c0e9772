"""Let the disk fail under the running service, at three moments, and let it get well again.

python -m tests.reliability.disks

The real daemon works in an office on loopback (``tests/process/office.py``).  Its disk is full (a small tmpfs, for
root), its files may not grow (RLIMIT_FSIZE), or each write or sync ends with EIO (strace's injection).  That begins

- before a release is found: the service must say so and tell nothing, as it cannot record what it found;
- when a mail is written and its server comes back: nothing may be handed over, as it cannot be marked;
- when the mail server has taken a mail and not yet answered: the receipt cannot be recorded, and no mail may follow.

While the disk fails, ``trialwatch status`` must still answer, and on a full disk say that nothing can be recorded; the
other faults are the service's alone, so that another process can write.  When the disk is well, each change must
arrive, once, without anybody's help.  A service that is started on a full or a read-only disk must end with an exit
code and words that name the database; started again on a disk that is well, it must work.

Does not break a disk that keeps what it was given and returns something else: checks of stored bodies do
(``tests/flow/test_damage.py``).
"""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.factories import write_days
from tests.process.office import ALL_CHANGE_DAILY, FIRST, WEEK, Office, title
from tests.process.processes import PATIENCE, PROGRAM, Daemon, environment, until
from tests.process.typed import Ended
from tests.smtp_server import Accepted, MailServer
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer

_ROOM = "6m"  # of the small disk
_FAILED = '"stage failed'


class NotPossible(Exception):
    """A fault that this machine does not let us play."""


# --- the faults -------------------------------------------------------------------------------------------------------


@contextmanager
def full(folder: Path, _pid: int) -> Iterator[None]:
    """Fill the small disk."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096) == 4096:
                pass
        except OSError:
            pass
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def no_growth(_folder: Path, pid: int) -> Iterator[None]:
    """Let no file be written at all beyond its first byte."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def _input_output_error(call: str) -> Callable[[Path, int], AbstractContextManager[None]]:
    @contextmanager
    def failing(_folder: Path, pid: int) -> Iterator[None]:
        inject = ["strace", "-f", "-o", os.devnull, "-e", f"trace={call}", "-e", f"inject={call}:error=EIO"]
        with subprocess.Popen([*inject, "-p", str(pid)], stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr is not None
            first = strace.stderr.readline()
            if "attached" not in first:
                strace.kill()
                raise NotPossible(f"strace: {first.strip()}")
            try:
                yield
            finally:
                strace.terminate()
                strace.communicate(timeout=PATIENCE.total_seconds())

    return failing


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    name: str
    begins: Callable[[Path, int], AbstractContextManager[None]]  # given the folder and the daemon's process
    needs: Callable[[], bool]
    small_disk: bool = False


def _is_root() -> bool:
    return os.geteuid() == 0 and shutil.which("mount") is not None


FAULTS = (
    Fault(name="disk full", begins=full, needs=_is_root, small_disk=True),
    Fault(name="file size limit", begins=no_growth, needs=lambda: True),
    Fault(name="EIO at writes", begins=_input_output_error("pwrite64"), needs=lambda: bool(shutil.which("strace"))),
    Fault(name="EIO at syncs", begins=_input_output_error("fdatasync"), needs=lambda: bool(shutil.which("strace"))),
)


# --- the office -------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True, eq=False)
class HookedMailServer(MailServer):
    """Does something once, when it has taken a mail and has not answered yet."""

    then: list[Callable[[], object]] = field(default_factory=list)

    def take(self, mail: Accepted) -> None:
        super().take(mail)
        if self.then:
            self.then.pop()()


def _nothing_is_typed(*_arguments: str) -> Ended:
    raise NotImplementedError("commands are run as processes here: this one has another folder")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Put a small disk at a folder."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(folder)]
    ended = subprocess.run(mount, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise NotPossible(ended.stderr.strip())
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def opened(folder: Path, *, small: bool) -> Iterator[tuple[Office, HookedMailServer]]:
    """Give an office with its database on a disk of its own, if that is wanted."""
    place = folder / "office"
    place.mkdir()
    dataset = load_dataset(write_days(folder / "days", ALL_CHANGE_DAILY))
    with ExitStack() as stack:
        if small:
            stack.enter_context(small_disk(place))
        registry = stack.enter_context(RegistryServer(dataset))
        mail = stack.enter_context(HookedMailServer())
        office = Office(folder=place, registry=registry, mail=mail, run=_nothing_is_typed, by_smtp=True)
        office.settle()
        stack.callback(office.close)
        yield office, mail


def status_of(office: Office) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "status"]
    return subprocess.run(
        command,
        cwd=office.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE.total_seconds(),
    )


# --- the course -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Figures:
    faults: int = 0
    failures: int = 0  # that were logged while the disk failed
    changes: int = 0
    wrong: list[str] = field(default_factory=list)

    def row(self, what: str) -> str:
        size = f"{self.faults} moments, {self.failures} failures logged, {self.changes} changes"
        return f"| {what} | {size} | {len(self.wrong)} wrong |"


def live_through(fault: Fault, folder: Path) -> Figures:
    """Let the disk fail at each moment, and look at what arrives.

    Raises:
        NotPossible: this machine does not let us.
    """
    if not fault.needs():
        raise NotPossible(f"{fault.name} needs root, or strace")
    figures = Figures()
    with opened(folder, small=fault.small_disk) as (office, mail):
        daemon = office.started()
        mail.wait_for(1)  # the welcome
        daemon.logged('"delivered"')
        for moment in (_before_the_check, _before_the_handing_over, _before_the_receipt):
            moment(fault, office, mail, daemon, figures)
            figures.faults += 1
        office.registry.advance()
        mail.wait_for(2 + figures.faults)
        if daemon.end() != 0:
            figures.wrong.append("the service did not end well")
        figures.failures = sum(_FAILED in line for line in daemon.lines)
    for before, day in pairwise(WEEK[: figures.faults + 2]):
        figures.changes += 1
        mails = [one for one in mail.accepted if title(FIRST, before) in one.words and title(FIRST, day) in one.words]
        if len(mails) != 1:
            figures.wrong.append(f"the change of {day} arrived {len(mails)} times")
    return figures


def _failing(daemon: Daemon) -> int:
    return sum(_FAILED in line for line in daemon.lines)


def _wait_for_failures(daemon: Daemon, since: int) -> None:
    daemon.logged(_FAILED, times=since + 3)  # so that each job had its turn


def _look(fault: Fault, office: Office, mail: MailServer, taken: int, figures: Figures) -> None:
    """Look that nothing goes out and the status says how it is, while the disk fails."""
    moment = f"moment {figures.faults + 1}"
    if len(mail.accepted) != taken:
        figures.wrong.append(f"{moment}: a mail went out while nothing could be recorded")
    status = status_of(office)
    said = "NOTHING CAN BE RECORDED NOW" in status.stdout
    if "Registry data of" not in status.stdout or (said, status.returncode) != (fault.small_disk, fault.small_disk):
        figures.wrong.append(f"{moment}: status ended with {status.returncode}: {status.stdout}{status.stderr}")


def _before_the_check(fault: Fault, office: Office, mail: HookedMailServer, daemon: Daemon, figures: Figures) -> None:
    failures, taken = _failing(daemon), len(mail.accepted)
    with fault.begins(office.folder, daemon.process.pid):
        office.registry.advance()
        _wait_for_failures(daemon, failures)
        _look(fault, office, mail, taken, figures)
    mail.wait_for(taken + 1)


def _before_the_handing_over(
    fault: Fault, office: Office, mail: HookedMailServer, daemon: Daemon, figures: Figures
) -> None:
    taken, composed = len(mail.accepted), sum('"composed"' in line for line in daemon.lines)
    mail.down = True
    office.registry.advance()
    daemon.logged('"composed"', times=composed + 1)
    with fault.begins(office.folder, daemon.process.pid):
        failures = _failing(daemon)
        mail.down = False
        _wait_for_failures(daemon, failures)
        _look(fault, office, mail, taken, figures)
    mail.wait_for(taken + 1)


def _before_the_receipt(fault: Fault, office: Office, mail: HookedMailServer, daemon: Daemon, figures: Figures) -> None:
    failures, taken = _failing(daemon), len(mail.accepted)
    with ExitStack() as stack:
        context = fault.begins(office.folder, daemon.process.pid)
        mail.then.append(lambda: stack.enter_context(context))
        office.registry.advance()
        mail.wait_for(taken + 1)
        _wait_for_failures(daemon, failures)
        _look(fault, office, mail, taken + 1, figures)
    with office.store() as store:
        until(
            lambda: store.execute("SELECT count(*) FROM message WHERE state <> 'sent'").fetchone() == (0,),
            "the receipt that is recorded",
        )


# --- a start on a disk that fails -------------------------------------------------------------------------------------


def start_on_a_bad_disk(folder: Path) -> list[str]:
    """Start the service on a full and on a read-only disk, and on one that is well; return what is wrong.

    Raises:
        NotPossible: without root.
    """
    if not _is_root():
        raise NotPossible("a small disk needs root")
    wrong: list[str] = []
    with opened(folder, small=True) as (office, mail):
        office.started().kill()
        with full(office.folder, 0):
            wrong += _refused(office, "full")
        subprocess.run(["mount", "-o", "remount,ro", str(office.folder)], check=True)
        wrong += _refused(office, "read-only")
        subprocess.run(["mount", "-o", "remount,rw", str(office.folder)], check=True)
        if mail.accepted and len({one.message_id for one in mail.accepted}) != len(mail.accepted):
            wrong.append("a mail came twice")
        daemon = office.started()
        mail.wait_for(1)
        office.registry.advance()
        mail.wait_for(2)
        if daemon.end() != 0:
            wrong.append("the service did not end well")
    return wrong


def _refused(office: Office, what: str) -> Iterator[str]:
    daemon = office.start()
    code = daemon.ended()
    if code != 1:
        yield f"on a {what} disk the service ended with {code}"
    if "the database" not in daemon.log:
        yield f"on a {what} disk the service said: {daemon.log}"


def main() -> int:
    problems, skipped = [], []
    for fault in FAULTS:
        with TemporaryDirectory(prefix="trialwatch-disks-") as folder:
            try:
                figures = live_through(fault, Path(folder))
            except NotPossible as why:
                skipped.append(str(why))
                continue
            sys.stdout.write(figures.row(f"{fault.name}, under the running service") + "\n")
            sys.stdout.flush()
            problems += [f"{fault.name}: {one}" for one in figures.wrong]
    with TemporaryDirectory(prefix="trialwatch-disks-") as folder:
        try:
            found = start_on_a_bad_disk(Path(folder))
            sys.stdout.write(f"| started on a full and on a read-only disk | 2 starts | {len(found)} wrong |\n")
            problems += found
        except NotPossible as why:
            skipped.append(str(why))
    sys.stdout.writelines(f"BROKEN: {problem}\n" for problem in problems)
    sys.stdout.writelines(f"NOT RUN: {why}\n" for why in skipped)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
