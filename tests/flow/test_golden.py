"""The digests that are kept as files are those that the program makes, byte for byte."""

from functools import cache

import pytest

from tests.golden.digests import FOLDER, kept_digests
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
