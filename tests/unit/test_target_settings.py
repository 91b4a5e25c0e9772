"""[[target]]: what is right, what is wrong, and that neither a URL nor a secret is ever shown."""

from pathlib import Path

import pytest

from tests.unit.settings_files import CANARY, OPERATOR, READER, WATCHLIST, load, problems, write
from tests.webhook_receiver import SECRET
from watcher.errors import SettingsError

HOOK = f'[[target]]\nname = "hook"\nkind = "webhook"\nurl = "https://hooks.example.org/{CANARY}"\nsecret = "{SECRET}"\n'
CHAT = f'[[target]]\nname = "team-chat"\nkind = "apprise"\nurl = "slack://T1JJ3T3L2/{CANARY}/x"\n'
HEARS = '[[watchlist.recipients]]\naddress = "target:{}"\n'


def test_targets_are_read_and_named_as_recipients(tmp_path: Path) -> None:
    text = 'operator_target = "hook"\n' + WATCHLIST + READER + HEARS.format("hook") + HEARS.format("team-chat")
    settings = load(tmp_path, text + HOOK + CHAT)

    [watchlist] = settings.watchlists()
    assert [one.address for one in watchlist.recipients] == [
        "reader@example.org",
        "target:hook",
        "target:team-chat",
    ]
    assert [target.name for target in settings.target] == ["hook", "team-chat"]
    assert settings.operator_target == "hook"


def test_a_url_and_a_secret_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example.org/x\n")
    (tmp_path / "secret").write_text(SECRET + "\n")
    text = OPERATOR + '[[target]]\nname = "hook"\nkind = "webhook"\nurl_file = "url"\nsecret_file = "secret"\n'
    write(tmp_path, text, mode=0o644)

    [target] = load(tmp_path, text).target

    assert target.url is not None
    assert target.url.get_secret_value() == "https://hooks.example.org/x"
    assert target.secret is not None
    assert target.secret.get_secret_value() == SECRET


def hook(url: str, rest: str = "") -> str:
    return f'{OPERATOR}[[target]]\nname = "hook"\nkind = "webhook"\nsecret = "{SECRET}"\nurl = "{url}"\n{rest}'


def chat(url: str, rest: str = "") -> str:
    return f'{OPERATOR}[[target]]\nname = "chat"\nkind = "apprise"\nurl = "{url}"\n{rest}'


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        pytest.param(hook(f"http://hooks.example.org/{CANARY}"), "target[0].url", "is not encrypted", id="in clear"),
        pytest.param(hook(f"http://127.0.0.1/{CANARY}"), "target[0].url", "is not encrypted", id="loopback in clear"),
        pytest.param(
            hook(f"http://10.0.0.1/{CANARY}", "allow_private = true"), "target[0].url", "is not encrypted", id="house"
        ),
        pytest.param(hook(f"https://h.example.org:8080/{CANARY}"), "target[0].url", "another port", id="a port"),
        pytest.param(hook(f"https://h.example.org:x/{CANARY}"), "target[0].url", "is not a URL", id="no port"),
        pytest.param(hook(f"https://u:{CANARY}@h.example.org/"), "target[0].url", "user name", id="a password"),
        pytest.param(hook(f"https://h.example.org/#{CANARY}"), "target[0].url", "fragment", id="a fragment"),
        pytest.param(hook(f"https://h.example.org/{CANARY} x"), "target[0].url", "is not the URL", id="a space"),
        pytest.param(hook(f"https://h.example.org/{CANARY}é"), "target[0].url", "is not the URL", id="not ASCII"),
        pytest.param(hook(f"slack://{CANARY}"), "target[0].url", "is not the URL", id="of a chat"),
        pytest.param(hook(f"https:///{CANARY}"), "target[0].url", "is not the URL", id="no host"),
        pytest.param(
            hook(f"https://h.example.org/{CANARY}").replace(SECRET, f"whsec_{CANARY}"),
            "target[0].secret",
            "is not the secret of a webhook",
            id="a short secret",
        ),
        pytest.param(
            hook("https://h.example.org/").replace(f'secret = "{SECRET}"\n', ""),
            "target[0].secret",
            "is missing",
            id="-",
        ),
        pytest.param(OPERATOR + '[[target]]\nname = "x"\nkind = "apprise"', "target[0].url", "is missing", id="no URL"),
        pytest.param(chat(CANARY), "target[0].url", "is not a URL of Apprise", id="no scheme"),
        pytest.param(chat(f"file:///etc/{CANARY}"), "target[0].url", 'begins with "file://"', id="a file"),
        pytest.param(chat(f"DBUS://{CANARY}"), "target[0].url", 'begins with "dbus://"', id="a desktop"),
        pytest.param(chat(f"syslog://{CANARY}"), "target[0].url", 'begins with "syslog://"', id="a log"),
        pytest.param(chat(f"windows://{CANARY}"), "target[0].url", 'begins with "windows://"', id="Windows"),
        pytest.param(chat(f"exec://{CANARY}"), "target[0].url", 'begins with "exec://"', id="a program"),
        pytest.param(
            chat(f"slack://{CANARY}", f'secret = "{SECRET}"'), "target[0].secret", "is for webhooks only", id="a secret"
        ),
        pytest.param(
            OPERATOR + HOOK + HOOK.replace('"hook"', '"HOOK"'),
            "target[1].name",
            "is the name of target[0]",
            id="a name twice",
        ),
        pytest.param(
            OPERATOR + HOOK.replace('"hook"', '"my hook"'),
            "target[0].name",
            "is not the name of a target",
            id="a space in it",
        ),
        pytest.param(
            WATCHLIST + HEARS.format("hoock") + HOOK,
            "watchlist[0].recipients[0].address",
            'no target is named "hoock"; did you mean "hook"?',
            id="a reader that is not declared",
        ),
        pytest.param(
            WATCHLIST + HEARS.format("x y") + HOOK,
            "watchlist[0].recipients[0].address",
            "is not the name",
            id="no reader",
        ),
        pytest.param(
            'operator_target = "other"\n' + OPERATOR + HOOK,
            "operator_target",
            'no target is named "other"',
            id="operator",
        ),
        pytest.param(
            OPERATOR.replace("operations@example.org", "target:hook") + HOOK,
            "operator",
            "is not a mail address",
            id="!",
        ),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(tmp_path: Path, text: str, key: str, says: str) -> None:
    [problem] = problems(tmp_path, text)
    assert problem.startswith(key)
    assert says in problem
    assert CANARY not in problem
    assert SECRET not in problem


def test_a_target_of_this_machine_may_be_at_any_port_in_clear(tmp_path: Path) -> None:
    load(tmp_path, hook("http://localhost:9000/x", "allow_private = true"))


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_url_or_secret_in_a_file_that_others_may_open_is_a_problem(tmp_path: Path, mode: int) -> None:
    found = problems(tmp_path, OPERATOR + HOOK, mode=mode)
    assert [problem.partition(":")[0] for problem in found] == ["target[0].url", "target[0].secret"]
    assert all(f"mode {mode:04o}" in problem for problem in found)
    assert CANARY not in str(found)


def test_secrets_are_not_shown_by_settings(tmp_path: Path) -> None:
    settings = load(tmp_path, OPERATOR + HOOK + CHAT)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert CANARY not in shown
    assert SECRET not in shown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'[[target]]\nurl = ["{CANARY}"]', id="of a wrong type"),
        pytest.param(f'[[target]]\nurll = "{CANARY}"', id="under a misspelt key"),
        pytest.param(f'[target]\nurl = "https://{CANARY}"', id="in a table that does not repeat"),
        pytest.param(f'[[target]]\nkind = "webhook"\nurl = "{CANARY}\\n"', id="with a line end"),
        pytest.param(f'target = "{CANARY}"', id="in place of a table"),
    ],
)
def test_a_secret_is_not_shown_by_an_error_or_its_causes(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__
