"""Where settings come from: one TOML file, variables of the environment, files that hold one secret each.

Reads them into one tree, as TOML would, and says of each key that did not come from the file where it came from.
Does not judge values, and does not read the process's own environment: it is passed in.
"""

import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic.fields import FieldInfo

from watcher.config.problems import Problem
from watcher.config.values import did_you_mean, nearest, one_line, quoted
from watcher.errors import SettingsError

Tree = dict[str, Any]  # as tomllib returns it

PREFIX = "TRIALWATCH_"
NOT_SETTINGS = {
    "TRIALWATCH_SETTINGS",  # the path of the settings file
    "TRIALWATCH_CORPUS",  # a folder of real records, for tests
    "TRIALWATCH_REQUIRE_POSTGRESQL",  # tests fail without it, instead of skipping
    "TRIALWATCH_REQUIRE_MAIL_SERVER",  # the same
    "TRIALWATCH_REQUIRE_STRACE",  # the same
    "TRIALWATCH_REQUIRE_MAIL_JUDGES",  # the same of the programs that judge mails
}
SECRET_FILES = {  # a secret: the key that names a file which holds it instead
    "database.url": "database.url_file",
    "mail.smtp.password": "mail.smtp.password_file",
    "mail.journal.imap.password": "mail.journal.imap.password_file",
    "mail.bounces.imap.password": "mail.bounces.imap.password_file",
    "mail.smtp.oauth2.client_secret": "mail.smtp.oauth2.client_secret_file",
}
_LARGEST_SECRET = 8192  # bytes; anything larger is another file named by mistake


def lookup(tree: object, key: str) -> Any:
    """Return what stands at a dotted key, or ``None``: of whatever type, for nothing was judged yet."""
    for name in key.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


# --- the file ---------------------------------------------------------------------------------------------------------


def read_settings_file(path: Path) -> Tree:
    """Return the tree that the settings file holds.

    Raises:
        SettingsError: there is no such file, it cannot be read, or it is not TOML; line and column are named.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")  # editors of Windows put a byte order mark at the beginning
        return tomllib.loads(text)
    except FileNotFoundError:
        problem = 'there is no such file; "trialwatch init" writes one, and --settings names another'
    except OSError as error:
        problem = f"cannot be read ({(error.strerror or str(error)).lower()}); name a file that this user may read"
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} is not UTF-8; save the file as UTF-8"
    except tomllib.TOMLDecodeError as error:
        problem = _syntax_problem(str(error))
    raise SettingsError([f"{path}: {problem}"])


def _syntax_problem(words: str) -> str:
    form = re.fullmatch(r"(.*) \(at (.*)\)", words, re.DOTALL)
    what, where = (form[1], form[2]) if form else (words, "an unknown place")
    if re.search("overwrite|twice|mutate|redefine", what):
        right = "each key and each [table] stands once, only tables in double brackets, as [[watchlist]], repeat"
    else:
        right = 'a setting is written key = value on one line, with text in quotation marks, as in key = "text"'
    return f"{where}: this is not TOML ({what[:1].lower()}{what[1:]}); {right}"


def exposed_secrets(path: Path, tree: Tree) -> list[Problem]:
    """Return a problem for each secret that stands in a file which other users of this machine may open.

    Args:
        path: the settings file.
        tree: what it holds, before anything was added from elsewhere.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return []
    exposed = {
        **{key: bool(lookup(tree, key)) for key in SECRET_FILES if key.endswith(".password")},
        "database.url": _holds_password(lookup(tree, "database.url")),
        "registry.proxy": _holds_password(lookup(tree, "registry.proxy")),
    }
    return [
        Problem(
            key=key,
            says=f"holds a password in a file that other users of this machine may open (mode {mode:04o}); "
            f"run chmod 600 {path}, or give it as {SECRET_FILES.get(key, _variable(key))}",
        )
        for key, is_exposed in exposed.items()
        if is_exposed
    ]


def _holds_password(url: object) -> bool:
    try:
        return isinstance(url, str) and ("password=" in url or urlsplit(url).password is not None)
    except ValueError:  # not a URL: told elsewhere
        return False


# --- the environment --------------------------------------------------------------------------------------------------


def apply_environment(
    tree: Tree, environ: Mapping[str, str], *, known: Mapping[str, FieldInfo]
) -> tuple[dict[str, str], list[Problem]]:
    """Put the variables of the environment into the tree, over what stands there.

    Args:
        tree: changed in place.
        environ: the whole environment; what does not begin with ``TRIALWATCH_`` is left alone.
        known: the single values that can be set, by dotted key.

    Returns:
        For each key that was set, by which variable; and the variables that set nothing.
    """
    variables = {_variable(key): key for key in known}
    origins, problems = {}, []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        key = variables.get(name)
        if key is None:
            near = nearest(name.removeprefix(PREFIX), (each.removeprefix(PREFIX) for each in variables))
            hint = did_you_mean(PREFIX + near if near else None)
            problems.append(Problem(key=name, says=f"no setting is set by this variable{hint or '; unset it'}"))
            continue
        _put(tree, key, _typed(environ[name], known[key]))
        origins[key] = f"set by {name}"
    return origins, problems


def _variable(key: str) -> str:
    return PREFIX + key.replace(".", "__").upper()


def _typed(text: str, field: FieldInfo) -> str | int:
    """Return a variable's text as TOML would have read it; what does not fit is left to be refused."""
    if field.annotation is int and re.fullmatch(r"-?[0-9]{1,9}", text.strip()):
        return int(text)
    return text


def _put(tree: Tree, key: str, value: object) -> None:
    name, _, below = key.partition(".")
    if not below:
        tree[name] = value
    elif isinstance(tree.setdefault(name, {}), dict):  # otherwise told when the tree is judged
        _put(tree[name], below, value)


# --- secrets in files -------------------------------------------------------------------------------------------------


def read_secret_files(tree: Tree, folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """Put each secret that stands in a file of its own into the tree.

    Args:
        tree: changed in place.
        folder: where relative paths begin.

    Returns:
        For each key that was set, from which file; and what is wrong with the files.
    """
    origins, problems = {}, []
    for key, file_key in SECRET_FILES.items():
        name = lookup(tree, file_key)
        if not isinstance(name, str):
            continue
        if lookup(tree, key) is not None:
            problems.append(Problem(key=key, says=f"is given twice, here and by {file_key}; keep one of them"))
            continue
        try:
            path = folder / one_line(name)
            secret = read_secret(path)
        except ValueError as error:
            problems.append(Problem(key=file_key, says=str(error)))
        else:
            _put(tree, key, secret)
            origins[key] = f"read from {path}"
    return origins, problems


def read_secret(path: Path) -> str:
    """Return the secret that a file holds; raise ``ValueError`` when it holds none."""
    shown, right = quoted(path), "name a file that holds the secret on one line"
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_SECRET + 1)
        secret = content.decode().rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{shown} cannot be read ({(error.strerror or str(error)).lower()}); {right}") from error
    except UnicodeDecodeError:
        # Not chained: the error carries the bytes.
        raise ValueError(f"{shown} is not UTF-8 text; {right}") from None
    if len(content) > _LARGEST_SECRET:
        raise ValueError(f"{shown} is larger than {_LARGEST_SECRET} bytes; {right}")
    if not secret.strip():
        raise ValueError(f"{shown} is empty; {right}")
    return secret
