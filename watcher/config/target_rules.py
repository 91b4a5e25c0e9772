"""Rules of [[target]]: which URL suits which kind, where its secrets may stand, and that who is named is declared.

Like ``rules`` and ``sources``, works on the tree as it was read, and passes over what has a wrong type or form.  No
problem repeats a URL or a secret, not even in part.
"""

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from watcher.config.places import is_loopback
from watcher.config.problems import Problem
from watcher.config.sections.targets import normalise_reader
from watcher.config.sources import Tree, read_secret
from watcher.config.values import did_you_mean, nearest, one_line, quoted
from watcher.core.targets import target_of
from watcher.notify.apprise_schemas import scheme_of, why_not_offered
from watcher.notify.peers import PUBLIC_PORTS
from watcher.notify.webhook import key_of

_SECRETS = ("url", "secret")


def exposed_target_secrets(path: Path, tree: Tree) -> list[Problem]:
    """Return a problem for each secret of a target in a file which other users of this machine may open.

    Args:
        path: the settings file.
        tree: what it holds, before anything was added from elsewhere.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return []
    return [
        Problem(
            key=f"target[{index}].{key}",
            says=f"is a secret in a file that other users of this machine may open (mode {mode:04o}); "
            f"run chmod 600 {path}, or give it as target[{index}].{key}_file",
        )
        for index, target in _tables(tree, "target")
        for key in _SECRETS
        if target.get(key)
    ]


def read_target_secrets(tree: Tree, folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """Put each secret of a target that stands in a file of its own into the tree; see ``read_secret_files``."""
    origins, problems = {}, []
    for index, target in _tables(tree, "target"):
        for name in _SECRETS:
            key, file_name = f"target[{index}].{name}", target.get(f"{name}_file")
            if not isinstance(file_name, str):
                continue
            if target.get(name) is not None:
                problems.append(Problem(key=key, says=f"is given twice, here and by {name}_file; keep one of them"))
                continue
            try:
                path = folder / one_line(file_name)
                target[name] = read_secret(path)
            except ValueError as error:
                problems.append(Problem(key=f"{key}_file", says=str(error)))
            else:
                origins[key] = f"read from {path}"
    return origins, problems


def target_problems(tree: Tree) -> list[Problem]:
    """Return what is wrong with the targets, and with who is named as one."""
    targets = _tables(tree, "target")
    problems = list(_repeated_names(targets))
    for index, target in targets:
        rule = {"webhook": _webhook, "apprise": _apprise}.get(str(target.get("kind")))
        if rule is not None:
            problems += [Problem(key=f"target[{index}].{key}", says=says) for key, says in rule(target)]
    declared = [target["name"] for _, target in targets if isinstance(target.get("name"), str)]
    return [*problems, *_undeclared(tree, declared)]


def why_undeclared(reader: str, declared: list[str]) -> str | None:
    """Return why a reader cannot be named, if it is a target that is not declared."""
    name = target_of(reader)
    if name is None or name in declared:
        return None
    hint = did_you_mean(nearest(name, declared)) or f'; declare it by [[target]] with name = "{name}"'
    return f"no target is named {quoted(name)}{hint}"


# --- one target -------------------------------------------------------------------------------------------------------


def _webhook(target: Tree) -> Iterator[tuple[str, str]]:
    url, secret = target.get("url"), target.get("secret")
    if url is None and target.get("url_file") is None:
        yield "url", 'is missing; write it as in url = "https://hooks.example.org/trials", or name a url_file'
    elif isinstance(url, str) and (why := _not_a_webhook(url, private=target.get("allow_private") is True)):
        yield "url", why
    if secret is None and target.get("secret_file") is None:
        yield "secret", 'is missing: what is sent is signed; write "whsec_" and what `openssl rand -base64 32` prints'
    elif isinstance(secret, str):
        try:
            key_of(secret)
        except ValueError as error:
            yield "secret", str(error)


def _not_a_webhook(url: str, *, private: bool) -> str | None:
    """Say why nothing can be posted to a URL, without repeating it."""
    example = 'write it as in "https://hooks.example.org/trials"'
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return f"is not a URL; {example}"
    if not re.fullmatch(r"[!-~]+", url) or parts.scheme not in {"https", "http"} or not parts.hostname or port == 0:
        return f"is not the URL of a webhook; {example}, in ASCII"
    if "@" in parts.netloc or parts.fragment or "#" in url:
        return f"has a user name, a password or a fragment (#), which are not sent; {example}"
    if parts.scheme == "http" and not (private and is_loopback(parts.hostname)):
        return "is not encrypted; write https:// (http:// only reaches this machine itself, with allow_private = true)"
    if not private and (port or 443) not in PUBLIC_PORTS:
        ports = " or ".join(map(str, PUBLIC_PORTS))
        return f"names another port than {ports}, behind which no webhook is expected; allow_private = true lifts that"
    return None


def _apprise(target: Tree) -> Iterator[tuple[str, str]]:
    url = target.get("url")
    if url is None and target.get("url_file") is None:
        yield "url", 'is missing; write it as in url = "slack://TokenA/TokenB/TokenC/#trials", or name a url_file'
    elif isinstance(url, str):
        scheme = scheme_of(url)
        if scheme is None:
            yield "url", 'is not a URL of Apprise; it should begin with the name of a service, as in "slack://"'
        elif why := why_not_offered(scheme):
            yield "url", f'begins with "{scheme}://", which is not offered: {why}'
    for key in ("secret", "secret_file", "ca_bundle"):
        if target.get(key) is not None:
            yield key, "is for webhooks only; leave it out"


# --- who is named -----------------------------------------------------------------------------------------------------


def _repeated_names(targets: list[tuple[int, Tree]]) -> Iterator[Problem]:
    first_seen: dict[str, int] = {}
    for index, target in targets:
        name = target.get("name")
        if isinstance(name, str) and first_seen.setdefault(name.casefold(), index) != index:
            first = first_seen[name.casefold()]
            says = f"{quoted(name)} is the name of target[{first}] already; give each target a name of its own"
            yield Problem(key=f"target[{index}].name", says=says)


def _undeclared(tree: Tree, declared: list[str]) -> Iterator[Problem]:
    """Yield each place that names a target which is not declared."""
    for key, reader in _readers(tree):
        try:
            why = why_undeclared(normalise_reader(reader), declared)
        except ValueError:
            continue  # told by the check of the value
        if why is not None:
            yield Problem(key=key, says=why)
    operator_target = tree.get("operator_target")
    if isinstance(operator_target, str) and (why := why_undeclared(f"target:{operator_target}", declared)):
        yield Problem(key="operator_target", says=why)


def _readers(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield everybody who is named, with the key."""
    for above, people in _people(tree):
        for index, one in enumerate(people if isinstance(people, list) else []):
            address, key = (one.get("address"), ".address") if isinstance(one, dict) else (one, "")
            if isinstance(address, str):
                yield f"{above}[{index}]{key}", address


def _people(tree: Tree) -> Iterator[tuple[str, Any]]:
    for table in ("watchlist", "route"):
        for index, entry in _tables(tree, table):
            yield f"{table}[{index}].recipients", entry.get("recipients")


def _tables(tree: Tree, key: str) -> list[tuple[int, Tree]]:
    entries = tree.get(key)
    entries = entries if isinstance(entries, list) else []
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]
