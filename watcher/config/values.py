"""The kinds of value that stand in the settings file: texts, addresses, IDs, time zones, durations, secrets.

Each is a type that checks, normalises and explains itself: a check raises ``ValueError`` with what is wrong and what
would be right, without the key, which ``problems`` adds.  A secret is never repeated in what a check says.

Does not know hosts, URLs and files (``places``), does not look at two values together (``rules``), and
does not connect to anything: an address may still bounce.
"""

import re
from collections.abc import Iterable
from datetime import time, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import email_validator
from pydantic import AfterValidator, BeforeValidator, SecretStr

from watcher.core.identifiers import normalise_nct_id

# Names for mail that stays inside a house; the library refuses them because it thinks of the public network only.
# ("test" has a parameter of its own.)  Its documentation names this list as the place to change that.
for _inside in ("local", "localhost"):
    if _inside in email_validator.SPECIAL_USE_DOMAIN_NAMES:
        email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_inside)

_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST_LIST_NAME = 200  # characters; the database has room for so many
LONGEST_TAG = 100  # the same
_LONGEST_SHOWN = 80  # characters of a refused value that are repeated


# --- words ------------------------------------------------------------------------------------------------------------


def quoted(text: str | Path) -> str:
    """Return ``text`` in quotation marks, with nothing in it that could move a terminal's cursor.

    Args:
        text: cut short when it is long, unless it is a path.
    """
    whole = str(text)
    cut = whole if isinstance(text, Path) or len(whole) <= _LONGEST_SHOWN else whole[:_LONGEST_SHOWN] + "…"
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cut) + '"'


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known word that ``wrong`` was probably meant to be, or ``None`` when none is near."""
    words = {word.casefold(): word for word in known}
    near = get_close_matches(wrong.casefold(), words, n=1)
    return words[near[0]] if near else None


def did_you_mean(right: str | None) -> str:
    """Return the question with which a sentence ends, or nothing when there is nothing to suggest."""
    return f"; did you mean {quoted(right)}?" if right else ""


def one_line(text: str) -> str:
    """Return ``text`` without surrounding white space.

    Raises:
        ValueError: nothing is left, or there is a line end or another control character in it.
    """
    stripped = text.strip()
    if not stripped:
        raise ValueError("is empty; write a text, or leave the key out")
    if not stripped.isprintable():
        raise ValueError(f"{quoted(stripped)} holds a line end or another control character; write one line of text")
    return stripped


def check_header_text(text: str) -> str:
    """Return ``text`` if it can stand in a header of an HTTP request.

    Raises:
        ValueError: it is empty, more than one line, or not ASCII.
    """
    line = one_line(text)
    if not line.isascii():
        raise ValueError(f"{quoted(line)} cannot be sent in a header; write it without accents and special characters")
    return line


def _check_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text:
        raise ValueError("is empty; write the secret, or leave the key out")
    if not text.isprintable():
        raise ValueError("holds a line end or another control character; write one line of text")
    return secret


# --- people and times -------------------------------------------------------------------------------------------------


def normalise_address(text: str) -> str:
    """Return the mail address with its domain in ASCII and in lower case.

    No look-up is made, and reserved domains (example.org, .test, .local) are as good as others.

    Args:
        text: one address without a display name; surrounding spaces do not matter, a line end is refused because it
            could begin another header.

    Raises:
        ValueError: it is not an address.
    """
    address = text.strip(" \t\u00a0")
    try:
        valid = email_validator.validate_email(
            address,
            check_deliverability=False,
            test_environment=True,
            # A bare name is nearly always a forgotten ".org"; the machine itself is the exception.
            globally_deliverable=not address.casefold().endswith("@localhost"),
        )
    except email_validator.EmailNotValidError as error:
        why = str(error).rstrip(".")
        raise ValueError(f'{quoted(text)} is not a mail address ({why}); write it as in "name@example.org"') from error
    return f"{valid.local_part}@{valid.ascii_domain}"


def check_address_pattern(text: str) -> str:
    """Return ``text`` if it can be an address, or stand for several.

    Raises:
        ValueError: it cannot.
    """
    pattern = one_line(text)
    if not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", pattern):
        raise ValueError(f'{quoted(text)} fits no address; write one, or some with a star, as in "*@example.org"')
    return pattern


def check_time_zone(name: str) -> str:
    """Return ``name`` if the IANA database has such a time zone.

    Raises:
        ValueError: it has not; a near name is suggested.
    """
    zones = _time_zones()
    if name in zones:
        return name
    by_city = {zone.rpartition("/")[2].casefold(): zone for zone in sorted(zones, reverse=True)}
    city = by_city.get(name.strip().replace(" ", "_").casefold())
    hint = did_you_mean(city or nearest(name, zones)) or '; write it as in "Europe/Berlin"'
    raise ValueError(f"{quoted(name)} is not a time zone of the IANA database{hint}")


@cache
def _time_zones() -> frozenset[str]:
    # Reads some 600 files, hence once.  Left out: what a machine happens to be set to, and a mark for "not set".
    return frozenset(available_timezones() - {"localtime", "Factory"})


def parse_duration(text: str) -> timedelta:
    """Return the duration that ``text`` writes as a whole number and a unit.

    Args:
        text: a number and s, m, h or d, as in "30m"; one unit only.

    Raises:
        ValueError: it is written in another way.
    """
    form = re.fullmatch(r"([0-9]{1,7})([smhd])", text.strip())
    if not form:
        raise ValueError(
            f'{quoted(text)} is not a duration; write a whole number and a unit (s, m, h or d), as in "30m"'
        )
    return int(form[1]) * _UNITS[form[2]]


def format_duration(duration: timedelta) -> str:
    """Return ``duration`` as the settings file writes it, in the largest unit that divides it.

    Args:
        duration: of whole seconds, more than zero.
    """
    unit = next(unit for unit in reversed(_UNITS) if not duration % _UNITS[unit])
    return f"{duration // _UNITS[unit]}{unit}"


def parse_quiet_hours(text: str) -> tuple[time, time]:
    """Return the beginning and the end that ``text`` writes as two times of day.

    Args:
        text: as in "22:00-06:00"; whole five minutes, for that is how immediate mail is bundled.

    Raises:
        ValueError: it is written in another way, or leaves no time for mail.
    """
    form = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][05])\s*[-–]\s*([01][0-9]|2[0-3]):([0-5][05])", text.strip())
    if not form:
        raise ValueError(
            f'{quoted(text)} are not quiet hours; write two times of day, in whole five minutes, as in "22:00-06:00"'
        )
    begin, end = time(int(form[1]), int(form[2])), time(int(form[3]), int(form[4]))
    if begin == end:
        raise ValueError(f"{quoted(text)} begin when they end; write two different times, or leave the key out")
    return begin, end


def check_quiet_hours(text: str) -> str:
    """Return quiet hours as they are written here; raises what ``parse_quiet_hours`` raises."""
    begin, end = parse_quiet_hours(text)
    return f"{begin:%H:%M}-{end:%H:%M}"


def within(least: str, most: str) -> BeforeValidator:
    """Return the check that a duration, written or not, lies in a range.

    Args:
        least: the shortest, as in "30s".
        most: the longest, as in "7d".
    """

    def check(value: object) -> object:
        duration = parse_duration(value) if isinstance(value, str) else value
        if isinstance(duration, timedelta) and not parse_duration(least) <= duration <= parse_duration(most):
            raise ValueError(f'{quoted(str(value))} is out of range; write "{least}" to "{most}"')
        return duration  # of another type: refused by the type itself

    return BeforeValidator(check)


# --- the types --------------------------------------------------------------------------------------------------------

Line = Annotated[str, AfterValidator(one_line)]
HeaderText = Annotated[str, AfterValidator(check_header_text)]
Secret = Annotated[SecretStr, AfterValidator(_check_secret)]
Address = Annotated[str, AfterValidator(normalise_address)]
AddressPattern = Annotated[str, AfterValidator(check_address_pattern)]
NctId = Annotated[str, AfterValidator(normalise_nct_id)]
QuietHours = Annotated[str, AfterValidator(check_quiet_hours)]
TimeZone = Annotated[str, AfterValidator(check_time_zone)]
