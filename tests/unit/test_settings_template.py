"""The settings file that a first start writes: complete, explained, and right."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from watcher.config.problems import known_keys
from watcher.config.settings import Settings, load_settings
from watcher.config.template import Wishes, render_settings
from watcher.model import Cadence, Place, Recipient, Schedule, Severity, Watchlist

OPERATOR = "operations@example.org"


def load(folder: Path, text: str) -> Settings:
    path = folder / "trialwatch.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, environ={})


def test_the_least_that_can_be_asked_loads_and_equals_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path, render_settings(Wishes(operator=OPERATOR))) == load(tmp_path, f'operator = "{OPERATOR}"')


def test_what_was_asked_is_set(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    wishes = Wishes(
        operator=OPERATOR,
        trials=["NCT01234567", "NCT07298239"],
        recipients=["a@example.org", "b@example.org"],
        time_zone="Europe/Berlin",
        cadence=Cadence.WEEKLY,
        watchlist_name='The "first" \\ list',
        sender="watch@hospital.example",
        smtp_host="mail.example.org",
        smtp_security="tls",
        smtp_username="watch",
        smtp_password_file="password",
        base_url="http://127.0.0.1:8080/api/v2",
        database_url="postgresql+psycopg://watch@db.example.org/trials",
    )
    settings = load(tmp_path, render_settings(wishes))

    schedule = Schedule(cadence=Cadence.WEEKLY, time_zone="Europe/Berlin")
    assert settings.watchlists() == (
        Watchlist(
            name='The "first" \\ list',
            trials=("NCT01234567", "NCT07298239"),
            recipients=(
                Recipient(address="a@example.org", schedule=schedule),
                Recipient(address="b@example.org", schedule=schedule),
            ),
        ),
    )
    assert settings.mail.sender == "watch@hospital.example"
    assert settings.mail.domain == "hospital.example"
    assert settings.mail.smtp is not None
    assert settings.mail.smtp.host == "mail.example.org"
    assert settings.mail.smtp.port == 465
    assert settings.mail.smtp.password is not None
    assert settings.mail.smtp.password.get_secret_value() == "secret"
    assert settings.registry.base_url == "http://127.0.0.1:8080/api/v2"
    assert settings.database.url.get_secret_value() == "postgresql+psycopg://watch@db.example.org/trials"


def test_a_mail_server_without_a_sender_gets_the_operators_address(tmp_path: Path) -> None:
    settings = load(tmp_path, render_settings(Wishes(operator=OPERATOR, smtp_host="mail.example.org")))
    assert settings.mail.sender == OPERATOR
    assert settings.mail.smtp is not None
    assert settings.mail.smtp.port == 587


@pytest.mark.parametrize("count", [1, 5, 6, 400])
def test_any_number_of_trials_loads(tmp_path: Path, count: int) -> None:
    trials = [f"NCT{number:08}" for number in range(1, count + 1)]
    [watchlist] = load(
        tmp_path, render_settings(Wishes(operator=OPERATOR, trials=trials, recipients=["a@example.org"]))
    ).watchlists()
    assert list(watchlist.trials) == trials


@pytest.mark.parametrize(
    ("trials", "recipients"),
    [
        pytest.param([], [], id="neither trials nor recipients"),
        pytest.param([f"NCT{number:08}" for number in range(1, 10)], [], id="trials only"),
        pytest.param([], ["a@example.org", "b@example.org"], id="recipients only"),
    ],
)
def test_a_list_that_lacks_something_is_only_shown(tmp_path: Path, trials: list[str], recipients: list[str]) -> None:
    text = render_settings(Wishes(operator=OPERATOR, trials=trials, recipients=recipients))
    assert load(tmp_path, text).watchlists() == ()
    shown = tomllib.loads(text_with_options_taken(text))
    assert shown["watchlist"][0]["trials"] == (trials or ["NCT01234567"])


@pytest.mark.parametrize("smtp_host", [None, "mail.example.org"])
def test_every_option_is_shown_and_explained(smtp_host: str | None) -> None:
    lines = render_settings(Wishes(operator=OPERATOR, smtp_host=smtp_host)).split("\n")
    section, explained = "", set()
    for before, line in pairwise(lines):
        if header := re.fullmatch(r"#?\[([a-z.]+)\]", line):
            section = header[1] + "."
        if (option := re.match(r"#?([a-z_]+) = ", line)) and re.match(r"# \S", before):
            explained.add(section + option[1])
    assert {key for key, _ in known_keys(Settings)} <= explained


def test_the_options_that_are_shown_with_their_defaults_can_be_taken_as_they_stand(tmp_path: Path) -> None:
    shown = render_settings(Wishes(operator=OPERATOR))
    examples = r"(proxy|ca_bundle|url_file|reply_to|public_url|password|password_file|username|host|\[mail\.smtp\])"
    without_examples = "\n".join(line for line in shown.split("\n") if not re.match(f"#{examples}\\b", line))
    until_smtp, _, rest = without_examples.partition("# The mail server.")
    after_smtp = rest[rest.index("# What a reader sees") :].replace('#directory = "templates"', "")
    until_watchlists = after_smtp.partition("# Trials, and the people")[0]

    until_changes = until_watchlists.partition("# What a change weighs")[0]

    taken = load(tmp_path, text_with_options_taken(until_smtp + until_changes))

    assert taken == load(tmp_path, f'operator = "{OPERATOR}"')


def test_the_example_of_changes_can_be_taken_as_it_stands(tmp_path: Path) -> None:
    _, heading, rest = render_settings(Wishes(operator=OPERATOR)).partition("# What a change weighs")
    shown = heading + rest.partition("# Trials, and the people")[0]
    changes = load(tmp_path, f'operator = "{OPERATOR}"\n' + text_with_options_taken(shown)).changes
    assert changes.severity == {
        "sites": Severity.MAJOR,
        "protocolSection.eligibilityModule.eligibilityCriteria": Severity.CRITICAL,
    }
    assert changes.place == {"data sharing": Place.HIDDEN}


def test_the_file_fits_a_terminal_and_ends_with_one_line_end() -> None:
    text = render_settings(Wishes(operator=OPERATOR, trials=["NCT01234567"], recipients=["a@example.org"]))
    assert max(map(len, text.split("\n"))) <= 120
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\n\n\n" not in text


def text_with_options_taken(text: str) -> str:
    """Return the text with the "#" before every option taken away, as an operator would do it by hand."""
    return re.sub(r"^#(?=\S)", "", re.sub(r"^#(?=    \"|\])", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
