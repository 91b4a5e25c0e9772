"""The digests that are kept as files are those that the program makes, byte for byte."""

import csv
import email
import email.policy
import io
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser

import pytest

from tests.golden.digests import FOLDER, KeptDigest, crowded_digest, kept_digests
from watcher.replay.demo import DEMO_DAYS

REWRITE = "python -m tests.golden rewrites the files; read what changed before you keep it"
KEPT = sorted(path.name for path in FOLDER.iterdir())


@cache
def made() -> dict[str, str]:
    return {name: content for digest in kept_digests() for name, content in digest.files.items()}


def test_every_digest_is_kept_and_no_other_one() -> None:
    assert sorted(made()) == KEPT, REWRITE


@pytest.mark.parametrize("name", KEPT)
def test_a_digest_is_the_one_that_is_kept(name: str) -> None:
    assert made().get(name, "").encode("utf-8") == (FOLDER / name).read_bytes(), REWRITE


def test_each_day_of_the_demo_on_which_something_is_told_has_its_digest() -> None:
    told = {name[5:15] for name in KEPT if name.startswith("demo-")}

    # On the 11th nothing but the stamp changes.
    assert told == {str(day) for day in DEMO_DAYS if day.day != 11}
    assert sum(name.startswith("case-") and name.endswith(".html") for name in KEPT) >= 20


@pytest.mark.parametrize("name", [name for name in KEPT if name.endswith(".txt")])
def test_no_line_of_a_kept_text_is_longer_than_a_mail_program_shows(name: str) -> None:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()

    assert [line for line in lines[1:] if len(line) > 72] == []


# --- both parts say the same ------------------------------------------------------------------------------------------


class _Seen(HTMLParser):
    """Collects what a reader of the HTML part meets: its words, and where its links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._within_head = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within_head &= tag != "body"
        if tag == "a":
            self.words.append(f" {dict(attrs)['href']} ")
        elif tag not in {"span", "b", "code"}:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._within_head:
            self.words.append(data)


def facts_of_html(html: str) -> Counter[str]:
    seen = _Seen()
    seen.feed(html)
    return facts("".join(seen.words))


def facts(text: str) -> Counter[str]:
    """Return the words and figures of a text, without the marks that only one of the two parts needs."""
    plain = re.sub(r"\[added: |\[removed: |https://clinicaltrials\.gov/study/NCT[0-9]{8}", " ", text)
    return Counter(re.findall(r"\w+", plain))


@pytest.mark.parametrize("digest", [*kept_digests(), crowded_digest()], ids=lambda digest: digest.name)
def test_both_parts_of_a_mail_say_the_same(digest: KeptDigest) -> None:
    of_text, of_html = facts(digest.text), facts_of_html(digest.html)
    assert of_text - of_html == Counter()
    assert of_html - of_text == Counter()


def test_a_digest_without_room_for_all_has_all_attached_and_says_so() -> None:
    digest = crowded_digest()
    mail = email.message_from_bytes(digest.mime, policy=email.policy.default)
    (table,) = mail.iter_attachments()
    lines = list(csv.reader(io.StringIO(table.get_content(), newline="")))
    assert len(digest.html.encode()) <= 80_000
    assert {line[0] for line in lines[1:]} == {f"NCT{number:08}" for number in range(1, 151)}
    assert f"{len(lines) - 1:,} changes of this mail are all attached as changes.csv." in " ".join(digest.text.split())
    assert [part.defects for part in mail.walk() if part.defects] == []


def test_a_digest_with_room_for_all_has_nothing_attached() -> None:
    for digest in kept_digests():
        kinds = [part.get_content_type() for part in email.message_from_bytes(digest.mime).walk()]
        assert "text/csv" not in kinds
