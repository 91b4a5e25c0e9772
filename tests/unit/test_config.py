"""The settings: what is taken, from files and from the environment."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from tests.unit.settings_files import CANARY, OPERATOR, SMTP, load, problems, write
from watcher.config.sections.mail import MailSettings, SmtpSettings
from watcher.config.sections.registry import RegistrySettings
from watcher.config.settings import Settings, load_settings
from watcher.errors import SettingsError
from watcher.model import Cadence, Recipient, Schedule, Watchlist

# --- what is taken ----------------------------------------------------------------------------------------------------


def test_an_operator_is_enough(tmp_path: Path) -> None:
    settings = load(tmp_path, OPERATOR)

    assert settings.registry.base_url == "https://clinicaltrials.gov/api/v2"
    assert settings.registry.check_every == timedelta(minutes=30)
    assert settings.registry.proxy is None
    assert settings.registry.requests_per_minute == 40
    assert settings.mail.smtp is None
    assert settings.mail.sender == "operations@example.org"
    assert settings.mail.domain == "example.org"
    assert settings.mail.give_up_after == timedelta(hours=72)
    assert settings.log.format == "text"
    assert settings.watchlists() == ()


def test_the_user_agent_names_the_program_and_its_operator(tmp_path: Path) -> None:
    user_agent = load(tmp_path, 'operator = "ops+trials@example.org"').registry.user_agent
    assert user_agent.startswith("trialwatch/")
    assert user_agent.endswith(" (+mailto:ops+trials@example.org)")


def test_the_operator_is_filled_into_a_user_agent_of_ones_own(tmp_path: Path) -> None:
    settings = load(tmp_path, OPERATOR + '[registry]\nuser_agent = "example-hospital ({operator})"')
    assert settings.registry.user_agent == "example-hospital (operations@example.org)"


def test_relative_paths_begin_at_the_folder_of_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    write(
        tmp_path, OPERATOR + '[templates]\ndirectory = "mine"\n[database]\nurl = "sqlite:///db/watch.sqlite3?mode=rw"'
    )
    monkeypatch.chdir(tmp_path.parent)

    settings = load_settings(Path(tmp_path.name) / "trialwatch.toml", environ={})

    assert settings.templates.directory == tmp_path / "mine"
    assert settings.mail.directory == tmp_path / "state/mail"
    assert settings.database.url.get_secret_value() == f"sqlite:///{tmp_path}/db/watch.sqlite3?mode=rw"


def test_the_default_database_lies_beside_the_settings_file(tmp_path: Path) -> None:
    assert load(tmp_path, OPERATOR).database.url.get_secret_value() == f"sqlite:///{tmp_path}/state/trialwatch.sqlite3"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    settings = load(
        tmp_path, OPERATOR + '[database]\nurl = "sqlite:////srv/watch.sqlite3"\n[mail]\ndirectory = "/srv/m"'
    )
    assert settings.database.url.get_secret_value() == "sqlite:////srv/watch.sqlite3"
    assert settings.mail.directory == Path("/srv/m")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param("postgresql+psycopg://w@db/x", "postgresql+psycopg://w@db/x", id="with the driver"),
        pytest.param("postgresql://w:p%40@db:5433/x?a=b", "postgresql+psycopg://w:p%40@db:5433/x?a=b", id="without it"),
        pytest.param("postgres://w@db/x", "postgresql+psycopg://w@db/x", id="in the short form"),
        pytest.param("postgresql:///x?host=/run/pg", "postgresql+psycopg:///x?host=/run/pg", id="on a socket"),
    ],
)
def test_every_url_of_postgresql_is_led_to_the_one_driver(tmp_path: Path, given: str, used: str) -> None:
    assert load(tmp_path, OPERATOR + f'[database]\nurl = "{given}"').database.url.get_secret_value() == used


@pytest.mark.parametrize(
    ("options", "port"),
    [
        pytest.param("", 587, id="STARTTLS by default"),
        pytest.param('security = "tls"', 465, id="TLS from the first byte"),
        pytest.param('security = "tls"\nport = 4465', 4465, id="a port of its own"),
    ],
)
def test_the_port_follows_from_the_security(tmp_path: Path, options: str, port: int) -> None:
    smtp = load(tmp_path, SMTP + options).mail.smtp
    assert smtp is not None
    assert smtp.port == port


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost", "LocalHost."])
def test_clear_text_is_allowed_to_this_machine(tmp_path: Path, host: str) -> None:
    text = OPERATOR + f'[mail]\nsender = "w@example.org"\n[mail.smtp]\nhost = "{host}"\nsecurity = "none"\n'
    smtp = load(tmp_path, text).mail.smtp
    assert smtp is not None
    assert smtp.port == 25


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/api/v2/", "http://localhost:8080/api/v2", "http://[::1]/api/v2"]
)
def test_a_registry_on_this_machine_may_be_asked_often_and_without_encryption(tmp_path: Path, url: str) -> None:
    settings = load(tmp_path, OPERATOR + f'[registry]\nbase_url = "{url}"\ncheck_every = "1s"\nrequests_per_minute = 0')
    assert settings.registry.base_url == url.rstrip("/")


def test_watch_lists_become_the_nouns_of_the_program(tmp_path: Path) -> None:
    text = (
        OPERATOR + '[[watchlist]]\nname = " Oncology "\ntrials = [" nct07298239 ", "NCT01234567"]\n'
        '[[watchlist.recipients]]\naddress = "Reader@EXAMPLE.org"\n'
        '[[watchlist.recipients]]\naddress = "b@münchen.example"\ncadence = "weekly"\ntime_zone = "Europe/Berlin"\n'
        'hour = 16\nweekday = "friday"\n'
    )
    assert load(tmp_path, text).watchlists() == (
        Watchlist(
            name="Oncology",
            trials=("NCT07298239", "NCT01234567"),
            recipients=(
                Recipient(address="Reader@example.org", schedule=Schedule(cadence=Cadence.DAILY, time_zone="UTC")),
                Recipient(
                    address="b@xn--mnchen-3ya.example",
                    schedule=Schedule(cadence=Cadence.WEEKLY, time_zone="Europe/Berlin", hour=16, weekday=4),
                ),
            ),
        ),
    )


def test_a_byte_order_mark_is_not_an_error(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + OPERATOR).operator == "operations@example.org"


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load(tmp_path, OPERATOR)
    with pytest.raises(ValidationError):
        settings.operator = "other@example.org"  # type: ignore[misc] # that it is refused is the point


def test_settings_can_be_built_without_a_file() -> None:
    settings = Settings(operator="operations@example.org")
    assert settings.mail.sender == "operations@example.org"
    assert settings.mail.directory == Path("state/mail")


def test_settings_can_be_built_of_finished_sections() -> None:
    settings = Settings(
        operator="operations@example.org",
        registry=RegistrySettings(base_url="http://127.0.0.1:8080/api/v2"),
        mail=MailSettings(
            sender="watch@hospital.example",
            deliver_every=timedelta(seconds=1),
            smtp=SmtpSettings(host="127.0.0.1", security="none", username="watch", password=SecretStr("secret")),
        ),
    )
    assert settings.registry.base_url == "http://127.0.0.1:8080/api/v2"
    assert settings.registry.user_agent.endswith("(+mailto:operations@example.org)")
    assert settings.mail.domain == "hospital.example"
    assert settings.mail.deliver_every == timedelta(seconds=1)
    assert settings.mail.smtp is not None
    assert settings.mail.smtp.port == 25
    assert settings.mail.smtp.password == SecretStr("secret")


# --- the file itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(
            "[registry]\nbase_url = https://example.org",
            "line 2, column 12: this is not TOML (invalid value); a setting is written key = value on one line, with "
            'text in quotation marks, as in key = "text"',
            id="no quotation marks",
        ),
        pytest.param(
            'operator = "a"\noperator = "b"',
            "each key and each [table] stands once, only tables in double brackets, as [[watchlist]], repeat",
            id="a key twice",
        ),
        pytest.param(
            "[mail]\n[mail]",
            "each key and each [table] stands once, only tables in double brackets, as [[watchlist]], repeat",
            id="a section twice",
        ),
        pytest.param('operator = "a', "end of document: this is not TOML", id="an open quotation mark"),
    ],
)
def test_an_error_of_syntax_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    [problem] = problems(tmp_path, text)
    assert problem.startswith(f"{tmp_path}/trialwatch.toml: ")
    assert says in problem


def test_a_missing_file_is_named_with_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='there is no such file; "trialwatch init" writes one'):
        load_settings(tmp_path / "none.toml", environ={})


def test_a_folder_is_not_a_settings_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path, environ={})


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trialwatch.toml"
    path.write_bytes('# für "uns"\n'.encode("latin-1"))
    with pytest.raises(SettingsError, match="byte 4 is not UTF-8; save the file as UTF-8"):
        load_settings(path, environ={})


# --- other files ------------------------------------------------------------------------------------------------------


def test_a_bundle_of_certificates_is_taken(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    assert load(tmp_path, OPERATOR + '[registry]\nca_bundle = "ca.pem"').registry.ca_bundle == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("key", "name", "says"),
    [
        pytest.param("registry.ca_bundle", "none.pem", "cannot be read (no such file or directory)", id="none there"),
        pytest.param("registry.ca_bundle", "a-file", "holds no certificates in PEM form", id="no certificates"),
        pytest.param("templates.directory", "none", "is not a folder; make it", id="no folder of templates"),
        pytest.param("mail.directory", "a-file", "is a file; name a folder", id="a file for a folder of mail"),
        pytest.param("mail.directory", "", "is empty", id="no name"),
        pytest.param("mail.directory", "a\\u0000b", "control character", id="a NUL in a name"),
    ],
)
def test_a_path_that_cannot_be_right_is_refused(tmp_path: Path, key: str, name: str, says: str) -> None:
    (tmp_path / "a-file").write_text("just text\n")
    section, _, option = key.partition(".")
    [problem] = problems(tmp_path, OPERATOR + f'[{section}]\n{option} = "{name}"')
    assert problem.startswith(f"{key}: ")
    assert says in problem


# --- the environment --------------------------------------------------------------------------------------------------


def test_variables_of_the_environment_override_the_file(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        SMTP + "[log]\nformat = 'text'\n",
        environ={
            "TRIALWATCH_OPERATOR": "other@example.org",
            "TRIALWATCH_REGISTRY__REQUESTS_PER_MINUTE": "20",
            "TRIALWATCH_REGISTRY__CHECK_EVERY": "2h",
            "TRIALWATCH_MAIL__SMTP__HOST": "other.example.org",
            "TRIALWATCH_MAIL__SMTP__USERNAME": "watch",
            "TRIALWATCH_MAIL__SMTP__PASSWORD": "1234",
            "TRIALWATCH_LOG__FORMAT": "json",
        },
    )
    assert settings.operator == "other@example.org"
    assert settings.registry.requests_per_minute == 20
    assert settings.registry.check_every == timedelta(hours=2)
    assert settings.mail.smtp is not None
    assert settings.mail.smtp.host == "other.example.org"
    assert settings.mail.smtp.password == SecretStr("1234")
    assert settings.log.format == "json"


def test_a_section_can_come_from_the_environment_alone(tmp_path: Path) -> None:
    environ = {"TRIALWATCH_MAIL__SMTP__HOST": "mail.example.org", "TRIALWATCH_MAIL__SENDER": "w@example.org"}
    smtp = load(tmp_path, OPERATOR, environ=environ).mail.smtp
    assert smtp is not None
    assert smtp.port == 587


def test_variables_that_are_no_settings_are_left_alone(tmp_path: Path) -> None:
    environ = {
        "TRIALWATCH_SETTINGS": "/etc/trialwatch.toml",
        "TRIALWATCH_CORPUS": "/srv/corpus",
        "HTTPS_PROXY": "http://proxy.example.org:3128",
        "HOME": "/home/watch",
    }
    assert load(tmp_path, OPERATOR, environ=environ).registry.proxy is None


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param(
            "TRIALWATCH_MAIL__SMTP__PASWORD",
            CANARY,
            "TRIALWATCH_MAIL__SMTP__PASWORD: no setting is set by this variable; did you mean "
            '"TRIALWATCH_MAIL__SMTP__PASSWORD"?',
            id="a misspelt variable",
        ),
        pytest.param(
            "TRIALWATCH_WATCHLIST",
            "NCT01234567",
            "TRIALWATCH_WATCHLIST: no setting is set by this variable; unset it",
            id="what is not a single value",
        ),
        pytest.param(
            "TRIALWATCH_REGISTRY__ATTEMPTS",
            "many",
            "registry.attempts (set by TRIALWATCH_REGISTRY__ATTEMPTS): must be a whole number without quotation marks, "
            "not text",
            id="a number in words",
        ),
        pytest.param(
            "TRIALWATCH_REGISTRY__ATTEMPTS",
            "0",
            "registry.attempts (set by TRIALWATCH_REGISTRY__ATTEMPTS): 0 is out of range; write 1 to 20",
            id="a number out of range",
        ),
        pytest.param(
            "TRIALWATCH_LOG__LEVEL",
            "loud",
            'log.level (set by TRIALWATCH_LOG__LEVEL): "loud" is not one of "debug", "info", "warning", "error"',
            id="a choice that is none",
        ),
    ],
)
def test_a_problem_says_that_a_variable_caused_it(tmp_path: Path, name: str, text: str, problem: str) -> None:
    assert problems(tmp_path, OPERATOR, environ={name: text}) == [problem]


def test_a_variable_below_a_section_of_the_wrong_type_does_no_harm(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, OPERATOR + "mail = 3", environ={"TRIALWATCH_MAIL__SMTP__PORT": "25"})
    assert problem.startswith("mail: must begin with [mail]")


def test_text_that_no_encoding_holds_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    lost = os.fsdecode(b"\xff")
    environ = {"TRIALWATCH_OPERATOR": f"{lost}@example.org", "TRIALWATCH_DATABASE__URL": f"postgresql://{lost}@db/x"}
    keys = [problem.partition(" ")[0] for problem in problems(tmp_path, "", environ=environ)]
    assert keys == ["operator", "database.url"]
