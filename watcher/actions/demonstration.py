"""The demo: a small invented registry over some days, watched by the real service, mails in a folder.

The registry is served by one process, the service runs as another, exactly as installed; this one moves the days and
waits until each is told.  In a folder of its own, which is emptied first.
"""

import email
import email.policy
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from watcher.errors import SettingsError, TrialwatchError
from watcher.replay.demo import DEMO_TRIALS, build_demo_days, write_demo_days
from watcher.replay.folder import load_dataset
from watcher.replay.server import RegistryServer

Say = Callable[[str], None]
_MARK = ".trialwatch-demo"  # so that only a folder of ours is ever emptied
_DAY_LIMIT = 20.0  # seconds until a day must have been told
_READER = "trial.manager@example.org"
_SETTINGS = """\
operator = "operations@example.org"

[registry]
base_url = "{url}"
check_every = "1s"
requests_per_minute = 0

[mail]
deliver_every = "1s"
merge_for = "0s"
directory = "mails"

[watching]
all_clear = false
stale_after = 0

[guards]
hold_share = 0

[database]
url = "sqlite:///trialwatch.sqlite3"

[acknowledge]
remind = false  # a demo is over before anybody could

[[watchlist]]
name = "Our trials"
trials = {trials}

[[watchlist.recipients]]
address = "{reader}"
cadence = "immediate"
time_zone = "Europe/Berlin"
"""


class DemoFailed(TrialwatchError):
    """The service did not do what the demo expects of it."""


def demonstrate(folder: Path, say: Say) -> None:
    """Play the demo's days, and say what was mailed and where it lies.

    Raises:
        SettingsError: the folder is in use by something else, or cannot be made.
        DemoFailed: the service ended, or a day was not told in time.
    """
    try:
        _empty(folder)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise SettingsError([f"{folder} cannot be made or emptied ({why}); name another one with --folder"]) from error
    days = folder / "registry-days"
    write_demo_days(days)
    settings = folder / "trialwatch.toml"
    mails = folder / "mails"
    with RegistryServer(load_dataset(days)) as registry:
        trials = json.dumps(list(DEMO_TRIALS))
        settings.write_text(_SETTINGS.format(url=registry.url, trials=trials, reader=_READER), encoding="utf-8")
        with _service(settings, folder / "service.log") as service:
            seen: set[Path] = set()
            for number, day in enumerate(build_demo_days()):
                if number:
                    registry.advance()
                say(f"\n=== Registry data of {day.day.isoformat()} ===")
                _wait_until_told(settings, day.day.isoformat(), service)
                seen |= _tell(mails, seen, say)
    say(f"\nThe registry's days:    {days}")
    say(f"The service's settings: {settings}")
    say(f"The service's log:      {folder / 'service.log'}")
    say(f"The mails, {len(seen)} of them:  {mails}  (open one with any mail program)")
    say(f"Ask on:                 trialwatch history {DEMO_TRIALS[0]} --settings {settings}")


def _empty(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise SettingsError([f"{folder} is not empty and not a folder of the demo; name another one with --folder"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()


@contextmanager
def _service(settings: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "watcher", "run", "--settings", str(settings)]
    with log.open("wb") as output:
        service = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603 our own program
    try:
        yield service
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=15)


def _wait_until_told(settings: Path, day: str, service: "subprocess.Popen[bytes]") -> None:
    """Ask the service's own status until the day is verified and nothing waits to be mailed."""
    deadline = time.monotonic() + _DAY_LIMIT
    command = [sys.executable, "-m", "watcher", "status", "--json", "--settings", str(settings)]
    while time.monotonic() < deadline:
        if service.poll() is not None:
            raise DemoFailed("the service ended; see its log, service.log")
        asked = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 our own program
        if asked.returncode == 0 and _is_told(json.loads(asked.stdout), day):
            return
        time.sleep(0.2)
    raise DemoFailed(f"the day {day} was not told within {_DAY_LIMIT:.0f} seconds; see service.log")


def _is_told(status: dict[str, object], day: str) -> bool:
    return str(status["data_timestamp"]).startswith(day) and status["settled"] is True


def _tell(mails: Path, seen: set[Path], say: Say) -> set[Path]:
    new = sorted(path for path in mails.glob("*.eml") if path not in seen) if mails.is_dir() else []
    for path in new:
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        say(f"\n--- {path.name}")
        say(f"Subject: {mail['Subject']}\n")
        body = mail.get_body(("plain",)) if isinstance(mail, EmailMessage) else None
        say(body.get_content().replace("\r\n", "\n").rstrip() if isinstance(body, EmailMessage) else "(no text)")
    if not new:
        say("No mail: nothing changed that a reader is told.")
    return set(new)
