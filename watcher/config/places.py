"""Where things are: the kinds of setting that name a host, a URL, a file or a folder.

As in ``values``, each check raises ``ValueError`` with what is wrong and what would be right.  The URL of a
database or of a proxy may hold a password: it is kept as a secret and never repeated.

Does not connect to a host or make a folder.  Files and folders that must exist are looked at, because a wrong path is
an error of the settings; a relative path begins at the folder of the settings file.
"""

import ipaddress
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo

from watcher.config.values import one_line, quoted

_HOST = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?")
_POSTGRESQL = "postgresql+psycopg"  # the one driver that is installed with this program
_DATABASES = '"sqlite:///state/trialwatch.sqlite3" or "postgresql+psycopg://user@host/name"'


# --- hosts and URLs ---------------------------------------------------------------------------------------------------


def is_loopback(host: str) -> bool:
    """Return whether ``host`` is this machine itself, by its name or number; nothing is looked up."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold().rstrip(".") == "localhost"


def check_host(text: str) -> str:
    """Return the name or number of a host.

    Raises:
        ValueError: it is none, or there is a scheme or a port with it.
    """
    host = text.strip()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST.fullmatch(host):
            hint = 'write the name alone, as in "mail.example.org"'
            raise ValueError(f"{quoted(text)} is not the name of a host; {hint}") from None
    return host.lower()


def _check_dns_name(text: str) -> str:
    name = text.strip()
    if not _HOST.fullmatch(name):
        raise ValueError(f'{quoted(text)} cannot stand in DNS; write letters, digits and hyphens, as in "trialwatch"')
    return name.lower().rstrip(".")


def check_listen(text: str) -> str:
    """Return where to listen, host and port.

    Raises:
        ValueError: it is written in another way, or others than this machine could reach it.
    """
    place = text.strip()
    parts = _split(f"http://{place}", "http")
    if parts is None or parts.netloc != place or "@" in place or not parts.hostname or not parts.port:
        raise ValueError(f'{quoted(text)} is not a host and a port; write it as in "127.0.0.1:8710"')
    if not is_loopback(parts.hostname):
        raise ValueError(
            f"{quoted(text)} would answer other machines, and the pages ask nobody who they are; "
            f'write "127.0.0.1:{parts.port}", and let a proxy with TLS pass on what it takes'
        )
    return place


def check_base_url(text: str) -> str:
    """Return the URL that request paths are appended to, without a slash at its end.

    Raises:
        ValueError: it is no such URL, or not encrypted although it leads to another machine.
    """
    url = text.strip().rstrip("/")
    parts = _split(url, "https", "http")
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f'{quoted(text)} is not a base URL; write it as in "https://clinicaltrials.gov/api/v2"')
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError(f"{quoted(text)} is not encrypted; write https:// (http:// only reaches this machine itself)")
    return url


def _check_proxy(value: object) -> object:
    text = _revealed(value)
    if text is None:
        return value
    parts = _split(text.strip(), "http", "https")
    if parts is None or parts.path not in {"", "/"}:
        raise ValueError('is not the URL of an HTTP proxy; write it as in "http://proxy.example.org:3128"')
    return SecretStr(text.strip())


def _check_database_url(value: object, given: ValidationInfo) -> object:
    text = _revealed(value)
    if text is None:
        return value
    scheme, mark, rest = text.strip().partition("://")
    if mark and scheme == "sqlite":
        return SecretStr(_sqlite_url(rest, _folder_of(given)))
    if mark and scheme in {"postgresql", "postgres", _POSTGRESQL}:
        return SecretStr(_postgresql_url(rest))
    kind = f"is the URL of something else ({quoted(scheme)})" if mark else "is not the URL of a database"
    raise ValueError(f"{kind}; write it as in {_DATABASES}")


def _sqlite_url(rest: str, folder: Path) -> str:
    path, mark, query = rest.removeprefix("/").partition("?")
    if not rest.startswith("/") or path.endswith("/") or not path or not path.isprintable():
        raise ValueError('names no file; write three slashes and a path, as in "sqlite:///state/trialwatch.sqlite3"')
    if path.startswith((":memory:", "file:")):
        raise ValueError("names no file, so that all would be forgotten when the program ends; write the path of one")
    return f"sqlite:///{folder / path}{mark}{query}"


def _postgresql_url(rest: str) -> str:
    url = f"{_POSTGRESQL}://{rest}"
    parts = _split(url, _POSTGRESQL, host_needed=False)  # no host: the socket of this machine
    if parts is None or len(parts.path) < len("/x"):
        raise ValueError(
            'names no PostgreSQL database; write it as in "postgresql+psycopg://user@host/name" '
            "(with special characters of a password percent-encoded)"
        )
    return url


def _split(url: str, *schemes: str, host_needed: bool = True) -> SplitResult | None:
    """Return the parts of ``url``, or ``None`` when it is not a well-formed one of these schemes."""
    try:
        parts = urlsplit(url)
        port = parts.port  # a port that is not a number shows only here
    except ValueError:
        return None
    well_formed = url.isprintable() and " " not in url and port != 0 and (parts.hostname or not host_needed)
    return parts if parts.scheme in schemes and well_formed else None


def _revealed(value: object) -> str | None:
    """Return the text to check; ``None`` = of another type, which the type itself will refuse."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return text if isinstance(text, str) else None


# --- files and folders ------------------------------------------------------------------------------------------------


def _folder_of(given: ValidationInfo) -> Path:
    return Path((given.context or {}).get("folder", ""))


def _resolve(value: object, given: ValidationInfo) -> object:
    path = one_line(value) if isinstance(value, str) else value
    return _folder_of(given) / path if isinstance(path, str | Path) else value


def _check_bundle(path: Path) -> Path:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ValueError(f"{quoted(path)} holds no certificates in PEM form; name a file that does") from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ValueError(f"{quoted(path)} cannot be read ({why}); name a file of certificates") from error
    return path


def _check_dkim_key(path: Path) -> Path:
    from watcher.render.signing import read_key  # late: the library is for those who sign

    right = f'only its owner may read it: "chmod 600 {path}"'
    try:
        content = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ValueError(f"{quoted(path)} cannot be read ({why}); name the file of a private key") from error
    if mode & 0o077:
        raise ValueError(f"{quoted(path)} can be read by others (mode {mode & 0o777:o}); {right}")
    try:
        read_key(content)
    except ValueError as error:  # not chained: the error might carry some of the key
        raise ValueError(f"{quoted(path)} {error}") from None
    return path


def _check_folder(path: Path) -> Path:
    if not _is(path, Path.is_dir):
        raise ValueError(f"{quoted(path)} is not a folder; make it, or leave the key out")
    return path


def _check_folder_to_be(path: Path) -> Path:
    if _is(path, Path.exists) and not _is(path, Path.is_dir):
        raise ValueError(f"{quoted(path)} is a file; name a folder, which is made when it is needed")
    return path


def _is(path: Path, what: Callable[[Path], bool]) -> bool:
    try:
        return what(path)
    except OSError:  # a folder above it may not be entered
        return False


# --- the types --------------------------------------------------------------------------------------------------------

Host = Annotated[str, AfterValidator(check_host)]
DnsName = Annotated[str, AfterValidator(_check_dns_name)]
BaseUrl = Annotated[str, AfterValidator(check_base_url)]
LoopbackPlace = Annotated[str, AfterValidator(check_listen)]
ProxyUrl = Annotated[SecretStr, BeforeValidator(_check_proxy)]
DatabaseUrl = Annotated[SecretStr, BeforeValidator(_check_database_url)]
FilePath = Annotated[Path, BeforeValidator(_resolve)]
CertificateBundle = Annotated[Path, BeforeValidator(_resolve), AfterValidator(_check_bundle)]
DkimKeyFile = Annotated[Path, BeforeValidator(_resolve), AfterValidator(_check_dkim_key)]
Folder = Annotated[Path, BeforeValidator(_resolve), AfterValidator(_check_folder)]
FolderToBe = Annotated[Path, BeforeValidator(_resolve), AfterValidator(_check_folder_to_be)]
