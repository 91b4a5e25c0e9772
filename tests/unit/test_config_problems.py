"""What is wrong with settings, and in which words it is told."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.settings_files import CANARY, OPERATOR, READER, SMTP, WATCHLIST, load, problems, write
from watcher.config.problems import known_keys
from watcher.config.settings import Settings, load_settings
from watcher.errors import SettingsError

OAUTH2 = """
[mail.smtp.oauth2]
token_url = "https://login.example.org/token"
client_id = "us"
client_secret = "x"
"""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", 'operator: is missing; write it as in operator = "operations@example.org"', id="no operator"),
        pytest.param(
            'operator = "nobody"',
            'operator: "nobody" is not a mail address (An email address must have an @-sign); write it as in '
            '"name@example.org"',
            id="a bad address",
        ),
        pytest.param(
            "operator = true", "operator: must be text in quotation marks, not true or false", id="a wrong type"
        ),
        pytest.param(
            OPERATOR + "colour = 3",
            f"colour: is not a setting; the top level takes {', '.join(Settings.model_fields)}",
            id="an unknown key",
        ),
        pytest.param(
            OPERATOR + "[registry]\nchek_every = 3",
            'registry.chek_every: is not a setting; did you mean "registry.check_every"?',
            id="a misspelt key",
        ),
        pytest.param(
            OPERATOR + "[registry]\ncheck-every = 3",
            'registry.check-every: is not a setting; did you mean "registry.check_every"?',
            id="a hyphen in a key",
        ),
        pytest.param(
            OPERATOR + 'give_up_after = "1d"',
            'give_up_after: is not a setting; did you mean "mail.give_up_after"?',
            id="a key in the wrong section",
        ),
        pytest.param(OPERATOR + "[mial]", 'mial: is not a setting; did you mean "mail"?', id="a misspelt section"),
        pytest.param(
            OPERATOR + "mail = 3",
            "mail: must begin with [mail] on a line of its own, followed by its keys; this is a whole number",
            id="a value where a section should be",
        ),
        pytest.param(
            OPERATOR + '[registry]\nbase_url = "clinicaltrials.gov"',
            'registry.base_url: "clinicaltrials.gov" is not a base URL; write it as in '
            '"https://clinicaltrials.gov/api/v2"',
            id="a base URL without a scheme",
        ),
        pytest.param(
            OPERATOR + '[registry]\nbase_url = "http://example.org/api"',
            'registry.base_url: "http://example.org/api" is not encrypted; write https:// (http:// only reaches this '
            "machine itself)",
            id="a base URL without encryption",
        ),
        pytest.param(
            OPERATOR + '[registry]\ncheck_every = "30 minutes"',
            'registry.check_every: "30 minutes" is not a duration; write a whole number and a unit (s, m, h or d), '
            'as in "30m"',
            id="a duration in words",
        ),
        pytest.param(
            OPERATOR + "[registry]\ncheck_every = 30",
            'registry.check_every: must be text with a unit, as in "30m", not a whole number',
            id="a duration without a unit",
        ),
        pytest.param(
            OPERATOR + '[registry]\ncheck_every = "8d"',
            'registry.check_every: "8d" is out of range; write "1s" to "7d"',
            id="a duration out of range",
        ),
        pytest.param(
            OPERATOR + '[registry]\ncheck_every = "59s"',
            'registry.check_every: "59s" is too often for a public service; write "1m" or more',
            id="checks that a public service would not like",
        ),
        pytest.param(
            OPERATOR + '[registry]\nuser_agent = "Übersicht"',
            'registry.user_agent: "Übersicht" cannot be sent in a header; write it without accents and special '
            "characters",
            id="a User-Agent beyond ASCII",
        ),
        pytest.param(
            OPERATOR + '[registry]\nuser_agent = "a\\r\\nX-Other: b"',
            'registry.user_agent: "a\\r\\nX-Other: b" holds a line end or another control character; write one line of '
            "text",
            id="a header in the User-Agent",
        ),
        pytest.param(
            OPERATOR + '[registry]\nuser_agent = ""',
            "registry.user_agent: is empty; write a text, or leave the key out",
            id="an empty text",
        ),
        pytest.param(
            OPERATOR + '[registry]\nproxy = "socks5://proxy.example.org"',
            'registry.proxy: is not the URL of an HTTP proxy; write it as in "http://proxy.example.org:3128"',
            id="a proxy of another kind",
        ),
        pytest.param(
            OPERATOR + "[registry]\nbatch_size = 401",
            "registry.batch_size: 401 is out of range; write 1 to 400",
            id="a number that is too large",
        ),
        pytest.param(
            OPERATOR + '[registry]\nconnections = "2"',
            "registry.connections: must be a whole number without quotation marks, not text",
            id="a number in quotation marks",
        ),
        pytest.param(
            OPERATOR + "[registry]\nconnections = 1.5",
            "registry.connections: must be a whole number without quotation marks, not a number",
            id="a number that is not whole",
        ),
        pytest.param(
            OPERATOR + '[database]\nurl = "mysql://db/x"',
            'database.url: is the URL of something else ("mysql"); write it as in "sqlite:///state/trialwatch.sqlite3" '
            'or "postgresql+psycopg://user@host/name"',
            id="a database of another kind",
        ),
        pytest.param(
            OPERATOR + '[database]\nurl = "state/watch.sqlite3"',
            'database.url: is not the URL of a database; write it as in "sqlite:///state/trialwatch.sqlite3" or '
            '"postgresql+psycopg://user@host/name"',
            id="a path where a URL should be",
        ),
        pytest.param(
            OPERATOR + '[database]\nurl = "sqlite://watch.sqlite3"',
            'database.url: names no file; write three slashes and a path, as in "sqlite:///state/trialwatch.sqlite3"',
            id="a slash too few",
        ),
        pytest.param(
            OPERATOR + '[database]\nurl = "sqlite:///:memory:"',
            "database.url: names no file, so that all would be forgotten when the program ends; write the path of one",
            id="a database that forgets",
        ),
        pytest.param(
            OPERATOR + '[database]\nurl = "postgresql://db"',
            'database.url: names no PostgreSQL database; write it as in "postgresql+psycopg://user@host/name" '
            "(with special characters of a password percent-encoded)",
            id="a server without a database",
        ),
        pytest.param(
            OPERATOR + '[mail]\nsender_name = "a\\nb"',
            'mail.sender_name: "a\\nb" holds a line end or another control character; write one line of text',
            id="a line end in a name",
        ),
        pytest.param(
            OPERATOR + '[mail]\ndomain = "exa mple"',
            'mail.domain: "exa mple" is not the name of a host; write the name alone, as in "mail.example.org"',
            id="a bad domain",
        ),
        pytest.param(
            SMTP.replace("mail.example.org", "mail.example.org:587"),
            'mail.smtp.host: "mail.example.org:587" is not the name of a host; write the name alone, as in '
            '"mail.example.org"',
            id="a port with the host",
        ),
        pytest.param(
            SMTP.replace('host = "mail.example.org"', ""),
            'mail.smtp.host: is missing; write it as in host = "mail.example.org"',
            id="a mail server without a name",
        ),
        pytest.param(
            SMTP.replace('sender = "watch@example.org"', ""),
            "mail.sender: is missing although [mail.smtp] is given; write an address that the server lets this program "
            'use, as in sender = "trialwatch@example.org"',
            id="no sender for the mail server",
        ),
        pytest.param(
            SMTP + 'security = "none"',
            'mail.smtp.security: "none" would send mail to "mail.example.org" in clear text; write "starttls" or "tls" '
            '("none" is for a server on this machine, such as 127.0.0.1)',
            id="clear text to another machine",
        ),
        pytest.param(
            SMTP + 'security = "startls"',
            'mail.smtp.security: "startls" is not one of "starttls", "tls", "none"; did you mean "starttls"?',
            id="a misspelt choice",
        ),
        pytest.param(
            SMTP + 'username = "watch"',
            "mail.smtp.username: is given without a password; add mail.smtp.password_file (or password, or "
            "[mail.smtp.oauth2]), or leave it out",
            id="a user name without a password",
        ),
        pytest.param(
            SMTP + f'password = "{CANARY}"\nusername = "watch"\n{OAUTH2}',
            "mail.smtp.oauth2: is given beside a password; keep one of them: [mail.smtp.oauth2], or "
            "mail.smtp.password_file",
            id="a password and OAuth 2.0",
        ),
        pytest.param(
            SMTP + OAUTH2,
            "mail.smtp.username: is missing although [mail.smtp.oauth2] is given; write the mailbox that mail is sent "
            'from, as in username = "trialwatch@example.org"',
            id="OAuth 2.0 without a user name",
        ),
        pytest.param(
            SMTP + 'username = "watch"\n' + OAUTH2.replace("https", "http"),
            'mail.smtp.oauth2.token_url: "http://login.example.org/token" is not encrypted; write https:// (http:// '
            "only reaches this machine itself)",
            id="a token server in clear text",
        ),
        pytest.param(
            'operator = "ops@example.org"\n[mail]\nonly_to = ["example.org"]',
            'mail.only_to[0]: "example.org" fits no address; write one, or some with a star, as in "*@example.org"',
            id="a pattern that fits no address",
        ),
        pytest.param(
            'operator = "ops@example.org"\n[mail.journal]\nwait = "2m"\n'
            '[mail.journal.imap]\nhost = "imap.example.org"\nusername = "journal"\npassword = "x"',
            'mail.journal.address: is missing; write it as in address = "trialwatch-journal@example.org"',
            id="a journal without an address",
        ),
        pytest.param(
            SMTP + f'password = "{CANARY}"',
            "mail.smtp.username: is missing although a password is given; write it as in username = "
            '"trialwatch", or leave both out',
            id="a password without a user name",
        ),
        pytest.param(
            SMTP + 'username = "watch"\npassword = ""',
            "mail.smtp.password: is empty; write the secret, or leave the key out",
            id="an empty password",
        ),
        pytest.param(
            OPERATOR + '[log]\nlevel = "INFO"',
            'log.level: "INFO" is not one of "debug", "info", "warning", "error"; did you mean "info"?',
            id="a choice in capitals",
        ),
        pytest.param(
            OPERATOR + '[watchlist]\nname = "x"',
            "watchlist: must begin with [[watchlist]] on a line of its own, followed by its keys; this is a table",
            id="a watch list in single brackets",
        ),
        pytest.param(
            WATCHLIST,
            "watchlist[0].recipients: is missing; write it as in [[watchlist.recipients]] and, on the next line, "
            'address = "reader@example.org", or name it in a [[route]]',
            id="a list without recipients",
        ),
        pytest.param(
            WATCHLIST + "recipients = []",
            "watchlist[0].recipients: is empty; write it as in [[watchlist.recipients]] and, on the next line, "
            'address = "reader@example.org", or name it in a [[route]]',
            id="a list with empty recipients",
        ),
        pytest.param(
            WATCHLIST + 'recipients = ["reader@example.org"]',
            "watchlist[0].recipients[0]: must begin with [[watchlist.recipients]] on a line of its own, followed by "
            "its keys; this is text",
            id="a recipient that is only an address",
        ),
        pytest.param(
            WATCHLIST.replace('["NCT01234567"]', '"NCT01234567"') + READER,
            'watchlist[0].trials: must be a list in square brackets, as in ["…", "…"], not text',
            id="a trial outside a list",
        ),
        pytest.param(
            WATCHLIST.replace("NCT01234567", "nct7298239") + READER,
            "watchlist[0].trials[0]: 'nct7298239' has 7 digits; an NCT ID is NCT and 8 digits, as in NCT01234567",
            id="a bad ID",
        ),
        pytest.param(
            WATCHLIST.replace('"]', '", " nct01234567"]') + READER,
            'watchlist[0].trials[1]: " nct01234567" is in this list already, as trials[0]; write it once',
            id="a trial twice",
        ),
        pytest.param(
            WATCHLIST + READER + READER.replace("reader@example", "Reader@Example"),
            'watchlist[0].recipients[1].address: "Reader@Example.org" is in this list already, as recipients[0]; write '
            "it once",
            id="an address twice",
        ),
        pytest.param(
            WATCHLIST + READER + WATCHLIST.removeprefix(OPERATOR).replace("Ours", "ours ") + READER,
            'watchlist[1].name: "ours " is the name of watchlist[0] already; give each list a name of its own',
            id="a name twice",
        ),
        pytest.param(
            WATCHLIST + READER + 'time_zone = "Europe/Berln"',
            'watchlist[0].recipients[0].time_zone: "Europe/Berln" is not a time zone of the IANA database; did you '
            'mean "Europe/Berlin"?',
            id="a misspelt time zone",
        ),
        pytest.param(
            WATCHLIST + READER + 'time_zone = "new york"',
            'watchlist[0].recipients[0].time_zone: "new york" is not a time zone of the IANA database; did you mean '
            '"America/New_York"?',
            id="a city without its continent",
        ),
        pytest.param(
            WATCHLIST + READER + 'time_zone = "../../etc/passwd"',
            'watchlist[0].recipients[0].time_zone: "../../etc/passwd" is not a time zone of the IANA database; write '
            'it as in "Europe/Berlin"',
            id="a path for a time zone",
        ),
        pytest.param(
            WATCHLIST + READER + 'cadence = "dayly"',
            'watchlist[0].recipients[0].cadence: "dayly" is not one of "immediate", "daily", "weekly"; did you mean '
            '"daily"?',
            id="a misspelt cadence",
        ),
        pytest.param(
            WATCHLIST + READER + "hour = 24",
            "watchlist[0].recipients[0].hour: 24 is out of range; write 0 to 23",
            id="an hour that is none",
        ),
        pytest.param(
            WATCHLIST + READER + "weekday = 1",
            "watchlist[0].recipients[0].weekday: must be text in quotation marks, not a whole number",
            id="a weekday as a number",
        ),
    ],
)
def test_a_problem_is_named_with_its_key_and_what_would_be_right(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [problem]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = (
        'operator = "nobody"\ncolour = 1\n[registry]\ncheck_every = "soon"\nproxy = "proxy"\nca_bundle = "none.pem"\n'
        '[database]\nurl = "oracle://x"\n[mail.smtp]\nhost = "mail.example.org"\nport = 0\nsecurity = "none"\n'
        'username = "watch"\n[templates]\ndirectory = "nowhere"\n'
        '[[watchlist]]\nname = "A"\ntrials = ["NCT1", "NCT01234567", "nct01234567"]\n'
        '[[watchlist.recipients]]\naddress = "a"\ntime_zone = "Mars"\n'
        '[[watchlist]]\nname = "A"\ntrials = ["NCT01234567"]\n'
    )
    found = problems(tmp_path, text, environ={"TRIALWATCH_COLOUR": "red"})
    assert {problem.partition(":")[0] for problem in found} == {
        "TRIALWATCH_COLOUR",
        "operator",
        "colour",
        "registry.check_every",
        "registry.proxy",
        "registry.ca_bundle",
        "database.url",
        "mail.sender",
        "mail.smtp.port",
        "mail.smtp.security",
        "mail.smtp.username",
        "templates.directory",
        "watchlist[0].trials[0]",
        "watchlist[0].trials[2]",
        "watchlist[0].recipients[0].address",
        "watchlist[0].recipients[0].time_zone",
        "watchlist[1].name",
        "watchlist[1].recipients",
    }
    assert len(found) == 18


def test_no_problem_holds_a_control_character(tmp_path: Path) -> None:
    text = 'operator = "\\u001b[31m\\u202e"\n"\\u001b[2J" = 1\n[log]\nlevel = "\\u009b1m"\n[mail]\ndomain = "\\u0007"\n'
    found = problems(tmp_path, text)
    assert len(found) == 4
    assert all(problem.isprintable() for problem in found)


_KEYS = [key for dotted, _ in known_keys(Settings) for key in dotted.split(".")]
_VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-3, 700),
        st.floats(allow_nan=False, allow_infinity=False),
        st.dates(),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])),
        st.sampled_from(["http://[", "none", "30m", "127.0.0.1", "NCT01234567", "a@example.org", "postgresql://[x/y"]),
    ),
    lambda below: st.one_of(
        st.lists(below, max_size=3),
        st.dictionaries(
            st.sampled_from([*_KEYS, "watchlist", "name", "trials", "recipients", "address", "time_zone", "other"]),
            below,
            max_size=6,
        ),
    ),
    max_leaves=20,
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tree=st.dictionaries(st.sampled_from(["watchlist", *Settings.model_fields]), _VALUES, max_size=7))
def test_whatever_stands_in_the_file_is_told_in_words(tmp_path: Path, tree: dict[str, object]) -> None:
    path = write(tmp_path, "\n".join(f"{key} = {toml(value)}" for key, value in tree.items()))
    try:
        load_settings(path, environ={})
    except SettingsError as error:
        told = error.problems
    else:
        told = ["nothing: all was right"]
    assert told
    assert all(": " in problem and problem.isprintable() for problem in told)
    assert len(set(told)) == len(told)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(entry) for entry in value) + "]"
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def test_a_list_may_have_no_trials_because_commands_can_add_them(tmp_path: Path) -> None:
    (watchlist,) = load(tmp_path, WATCHLIST.replace('trials = ["NCT01234567"]', "trials = []") + READER).watchlists()
    assert watchlist.trials == ()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param('operator = "jürgen@example.org"\n', "operator", id="the operator, who is the sender"),
        pytest.param(OPERATOR + '[mail]\nsender = "jürgen@example.org"\n', "mail.sender", id="the sender"),
        pytest.param(OPERATOR + '[mail]\nreply_to = "jürgen@example.org"\n', "mail.reply_to", id="who is answered"),
    ],
)
def test_an_address_in_every_mail_is_plain_before_the_at_sign(tmp_path: Path, text: str, key: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(f'{key}: "jürgen@example.org" has other characters than ASCII')


def test_an_operator_who_is_not_the_sender_may_have_any_address(tmp_path: Path) -> None:
    text = 'operator = "jürgen@example.org"\n[mail]\nsender = "trials@example.org"\n'
    assert load(tmp_path, text).operator == "jürgen@example.org"
