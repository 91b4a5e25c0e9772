"""The judges: each takes mails and returns what is wrong with them, in words; or says why it cannot judge here."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.golden.digests import KeptDigest
from watcher.render.headers import clean_header_text, header_line

FOLDER = Path(__file__).parent
MODULES = FOLDER / "node_modules"
REQUIRED = os.environ.get("TRIALWATCH_REQUIRE_MAIL_JUDGES") == "1"
_TIMEOUT = 600  # seconds for one judge

# What some mail programs do not support, and why a mail may have it all the same: by feature, as caniemail names it.
ALLOWED = {
    "@media": "dark mode alone needs it; a program without it shows the light colours, which are complete",
    "<style> element": "the same",
    "color-scheme meta tag": "says that dark mode is provided for; a program without it turns colours as it likes",
    "Class selector": "all rules are written into the elements as well; what stays above serves dark mode only",
    "Type selector": "the same",
    "Descendant combinator": "the same",
    "<body> element": "the page around the mail is then white, which changes nothing of what is said",
    "word-break": "in Windows Mail alone: a long word may then be wider than a small window",
    "white-space": "a date may then break at a hyphen",
    "role attribute": "in Windows Mail alone, which its maker has given up: tables are then read out as tables",
}
SPAM_LIMIT = 1.0  # SpamAssassin's points; it calls a mail spam from 5 on
# Rules that judge the way a mail took, which these mails did not take, or our example domains.
_WAY_RULES = frozenset({"NO_RELAYS", "NO_RECEIVED", "ALL_TRUSTED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    name: str
    lacks: Callable[[], str | None]  # why it cannot judge here; None = it can
    judge: Callable[[Sequence[KeptDigest]], list[str]]


def _lacks_module(module: str, *programs: str) -> Callable[[], str | None]:
    def lacks() -> str | None:
        missing = [name for name in programs if not shutil.which(name)]
        if missing:
            return f"{', '.join(missing)} not found"
        return None if (MODULES / module).exists() else f"`npm install` was not run in {FOLDER.name}/"

    return lacks


def _written(digests: Sequence[KeptDigest], folder: str) -> dict[str, str]:
    """Write the HTML parts, and return the names of the mails by file."""
    names = {}
    for digest in digests:
        path = Path(folder) / f"{digest.name}.html"
        path.write_text(digest.html, encoding="utf-8")
        names[str(path)] = digest.name
    return names


def _html_errors(digests: Sequence[KeptDigest]) -> list[str]:
    with TemporaryDirectory() as folder:
        names = _written(digests, folder)
        vnu = ["-jar", str(MODULES / "vnu-jar/build/dist/vnu.jar"), "--format", "json", "--exit-zero-always"]
        ended = subprocess.run(["java", *vnu, *names], capture_output=True, timeout=_TIMEOUT, check=True)
    found = json.loads(ended.stderr)["messages"]
    return [f"{Path(one['url']).stem}: {one['message']}" for one in found if one["type"] == "error"]


def _unsupported(digests: Sequence[KeptDigest]) -> list[str]:
    with TemporaryDirectory() as folder:
        names = _written(digests, folder)
        found = _node("support", *names)
    clients: dict[str, set[str]] = {}
    for issues in found.values():
        for client, title in issues:
            clients.setdefault(title, set()).add(client)
    wrong = [
        f"{title} is not supported by {', '.join(sorted(clients[title]))}" for title in clients.keys() - ALLOWED.keys()
    ]
    idle = [f"{title} is allowed, and in no mail" for title in ALLOWED.keys() - clients.keys()]
    return sorted([*wrong, *idle])


def _in_a_browser(digests: Sequence[KeptDigest]) -> list[str]:
    with TemporaryDirectory() as folder:
        names = _written(digests, folder)
        found = _node("browser", _chromium() or "", *names)
    return [f"{names[file]}: {one}" for file, ones in found.items() for one in ones]


def _node(*arguments: str) -> dict[str, list[Any]]:
    command = ["node", "judge.mjs", *arguments]
    ended = subprocess.run(command, cwd=FOLDER, capture_output=True, timeout=_TIMEOUT, check=False)
    if ended.returncode:
        raise RuntimeError(ended.stderr.decode()[-2_000:])
    found: dict[str, list[Any]] = json.loads(ended.stdout)
    return found


def _chromium() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def _lacks_browser() -> str | None:
    return _lacks_module("playwright-core", "node")() or (None if _chromium() else "chromium not found")


def _spam(digests: Sequence[KeptDigest]) -> list[str]:
    return [
        f"{digest.name}: {points} points" for digest in digests if (points := spam_points(digest.mime)) >= SPAM_LIMIT
    ]


@cache
def spam_points(mime: bytes) -> float:
    """Return SpamAssassin's points for a mail, but for those on the way that it took."""
    command = ["spamassassin", "--local", "--test-mode", "--cf", "use_bayes 0"]
    ended = subprocess.run(command, input=mime, capture_output=True, timeout=_TIMEOUT, check=True)
    report = ended.stdout.decode("utf-8", "replace")
    table = re.findall(r"^ *(-?[0-9.]+) +([A-Z][A-Z0-9_]+) ", report, re.MULTILINE)
    return sum(float(points) for points, rule in table if rule not in _WAY_RULES)


def wrong_subjects(count: int, *, chance: random.Random) -> list[str]:
    """Return those of so many random subjects that do not come back as they were, or bring another header."""
    wrong = []
    for _ in range(count):
        text = _subject(chance)
        line = header_line("Subject", text)
        mail = message_from_bytes(line + b"\r\n", policy=policy.default)
        if mail.keys() != ["Subject"] or mail["Subject"] != clean_header_text(text):
            wrong.append(text)
    return wrong


def _subject(chance: random.Random) -> str:
    """Return a text as unkind as subjects get: scripts mixed, encoded words, line ends, halves of pairs."""
    pools = (
        "abcXYZ 0123",
        "äöüßéñ→… ",
        "研究終了 ",
        "исследование ",
        "🧪🩺",
        "\r\n\t\x00\x85\u2028\u202e\ud800 ",
        '=?"<>@,;: ',
    )
    pieces = []
    for _ in range(chance.randint(1, 12)):
        pool = chance.choice(pools)
        pieces.append("".join(chance.choice(pool) for _ in range(chance.randint(1, 15))))
        if chance.random() < 0.05:
            pieces.append("=?UTF-8?Q?=0ABcc:_evil@example.net?=")
    return "".join(pieces)


JUDGES = (
    Judge(name="HTML (vnu)", lacks=_lacks_module("vnu-jar", "java"), judge=_html_errors),
    Judge(name="mail programs (caniemail)", lacks=_lacks_module("caniemail", "node"), judge=_unsupported),
    Judge(name="accessibility, width, requests (axe, Chromium)", lacks=_lacks_browser, judge=_in_a_browser),
    Judge(
        name="spam (SpamAssassin)",
        lacks=lambda: None if shutil.which("spamassassin") else "spamassassin not found",
        judge=_spam,
    ),
)


def verdicts(digests: Sequence[KeptDigest]) -> Iterator[tuple[Judge, str | None, list[str]]]:
    """Yield each judge, why it cannot judge here, and what it finds wrong."""
    for judge in JUDGES:
        lacks = judge.lacks()
        yield judge, lacks, [] if lacks else judge.judge(digests)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
