"""``trialwatch watch import`` and ``export``: every wrong row is named, and what was exported is imported again."""

import pytest

from tests.process.office import FIRST, READER, SECOND, THIRD, UNKNOWN, Office

SOME_WRONG = f"""nct_id,watchlist
{SECOND},First list
NCT123,First list
{THIRD},Second list

{UNKNOWN},Second list
{UNKNOWN},First list
"""


def csv(office: Office, text: str) -> str:
    """Write a file to import and return its name."""
    (office.folder / "trials.csv").write_text(text, encoding="utf-8")
    return "trials.csv"


def test_an_import_with_wrong_rows_names_each_and_adds_nothing(office: Office) -> None:
    ended = office.run("watch", "import", csv(office, SOME_WRONG))
    assert ended.code == 2
    assert "trials.csv, line 3: 'NCT123' has 3 digits" in ended.err
    assert f"trials.csv, line 6: {UNKNOWN}" in ended.err
    assert f"trials.csv, line 7: {UNKNOWN}" in ended.err
    assert office.lists() == {"Ours": [FIRST]}


def test_an_import_that_skips_wrong_rows_names_each_and_adds_the_rest(office: Office) -> None:
    ended = office.run("watch", "import", csv(office, SOME_WRONG), "--skip-wrong")
    assert ended.code == 1
    assert [line.split(":")[1].strip() for line in ended.err.splitlines() if ", line " in line] == [
        f"trials.csv, line {number}" for number in (3, 6, 7)
    ]
    assert office.lists() == {"First list": [SECOND], "Ours": [FIRST], "Second list": [THIRD]}


def test_a_dry_run_says_what_would_be_added_and_adds_nothing(office: Office) -> None:
    ended = office.run("watch", "import", csv(office, SOME_WRONG), "--skip-wrong", "--dry-run")
    assert ended.code == 1
    assert ended.out == f'Would add to "First list": {SECOND}\nWould add to "Second list": {THIRD}\n'
    assert office.lists() == {"Ours": [FIRST]}


def test_a_dry_run_without_skipping_says_the_same_and_that_nothing_would_be_added(office: Office) -> None:
    ended = office.run("watch", "import", csv(office, SOME_WRONG), "--dry-run")
    assert ended.code == 2
    assert ended.out == f'Would add to "First list": {SECOND}\nWould add to "Second list": {THIRD}\n'
    assert "trials.csv, line 3: 'NCT123' has 3 digits" in ended.err
    assert "nothing is added as long as something is wrong, except with --skip-wrong" in ended.err
    assert office.lists() == {"Ours": [FIRST]}


def test_an_import_names_who_hears_of_its_lists(office: Office) -> None:
    file = csv(office, f"nct_id,watchlist\n{SECOND},A\n{THIRD},B\n")
    to = ("--to", "new@example.org", "--cadence", "weekly")
    assert 'Would hear of "B": new@example.org' in office.run("watch", "import", file, *to, "--dry-run").out
    assert "A" not in office.lists()
    ended = office.run("watch", "import", file, *to)
    assert (ended.code, ended.err) == (0, "")
    assert office.people() == {
        "A": ["new@example.org (weekly)"],
        "B": ["new@example.org (weekly)"],
        "Ours": [f"{READER} (immediate)"],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(f"nct_id;watchlist\n{SECOND};A\n", "save the file with commas", id="semicolons"),
        pytest.param(
            f'nct_id,watchlist\n{THIRD},A\n{SECOND},"B\n{THIRD},C\n', "line 3: this is not CSV", id="an open quote"
        ),
        pytest.param(
            f"nct_id,watchlist\n{SECOND},{'x' * 201}\n", "line 2: the name of the watch list has 201", id="a long name"
        ),
        pytest.param(
            f'nct_id,watchlist\n{SECOND},"a\nb"\n', "line 2: the name of the watch list", id="a name of two lines"
        ),
        pytest.param("trial\nNCT1\n", 'no column "nct_id"', id="no such column"),
        pytest.param("", 'no column "nct_id"', id="an empty file"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(office: Office, text: str, words: str) -> None:
    ended = office.run("watch", "import", csv(office, text))
    assert ended.code == 2
    assert words in ended.err
    assert office.lists() == {"Ours": [FIRST]}


def test_what_was_exported_is_imported_under_the_same_names(office: Office) -> None:
    names = ["=cmd", "'=cmd", "'quoted", "-dash", "a, b", 'a "b"']
    for name in names:
        assert office.run("watch", "add", SECOND, "--list", name).code == 0
    listed = office.lists()
    exported = office.run("watch", "export").out
    for name in names:
        assert office.run("watch", "remove", SECOND, "--list", name).code == 0
    assert office.lists() == {"Ours": [FIRST]}

    assert office.run("watch", "import", csv(office, exported)).code == 0
    assert office.lists() == listed
    assert set(listed) == {"Ours", *names}


def test_what_a_spreadsheet_would_calculate_is_exported_as_text(office: Office) -> None:
    office.run("watch", "add", SECOND, "--list", "=cmd")
    assert f"{SECOND},'=cmd" in office.run("watch", "export").out.splitlines()
