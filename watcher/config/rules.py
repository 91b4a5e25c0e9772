"""Rules between settings: what follows from another, and what is wrong although each value by itself is right.

They work on the tree as it was read, not on validated settings, so that they speak up in the same run as the checks of
single values.  What has a wrong type or form is passed over here, because the check of that value tells it.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel

from watcher.config.places import is_loopback
from watcher.config.problems import Problem
from watcher.config.sections.targets import normalise_reader
from watcher.config.sources import Tree, lookup
from watcher.config.values import format_duration, normalise_address, parse_duration, quoted
from watcher.core.bounces import TOKEN_BYTES
from watcher.core.identifiers import normalise_nct_id

Value = TypeVar("Value")

PORTS = {"starttls": 587, "tls": 465, "none": 25}  # by security, as IANA assigns them
LONGEST_LOCAL_PART = 64  # characters before the @: RFC 5321, 4.5.3.1.1
_MAILBOXES = ("mail.journal.imap", "mail.bounces.imap")
_CLEAR_AT_FIRST = ("starttls", "none")
SHORTEST_PUBLIC_CHECK = timedelta(minutes=1)  # the registry publishes once a working day; more often is only a burden


def rule_problems(tree: Tree, *, default_base_url: str) -> list[Problem]:
    """Return what is wrong between the settings.

    Args:
        tree: all sources together.
        default_base_url: of the registry, when the tree names none.
    """
    rules = (
        _mail_needs_a_sender,
        _sender_can_be_answered,
        _login_is_complete,
        _mailboxes_have_passwords,
        _return_addresses_fit,
        _clear_text,
        _signature_counts,
    )
    problems = [problem for rule in rules for problem in rule(tree)]
    problems += _checks_are_not_too_frequent(tree, default_base_url)
    problems += _repeated_names(tree)
    for index, watchlist in _tables(tree.get("watchlist")):
        problems += _repeated_entries(watchlist, f"watchlist[{index}]")
    return problems


def with_derived_defaults(given: Tree, *, user_agent: str) -> Tree:
    """Return the tree with all sections and with the defaults that depend on other settings.

    Args:
        given: all sources together, or finished sections of settings; left as it is.
        user_agent: what to fill in when none is given.
    """
    tree: Tree = {name: _as_tree(section) for name, section in given.items()}
    for section in ("registry", "database", "mail", "templates", "changes", "log", "web", "acknowledge"):
        tree.setdefault(section, {})
    operator = _understood(normalise_address, tree.get("operator"))
    registry, mail, smtp = tree["registry"], tree["mail"], lookup(tree, "mail.smtp")
    if operator:
        tree.setdefault("catch_all", operator)
    if isinstance(registry, dict) and operator:
        text = registry.get("user_agent", user_agent)
        registry["user_agent"] = _named(text, operator) if isinstance(text, str) else text
    if isinstance(mail, dict):
        if operator and smtp is None:
            mail.setdefault("sender", operator)
        _complete_domains(mail)
    _complete_ports(tree, smtp)
    return tree


def _complete_domains(mail: Tree) -> None:
    sender = _understood(normalise_address, mail.get("sender"))
    if sender:
        domain = sender.rpartition("@")[2]
        mail.setdefault("domain", domain)
        if isinstance(mail.get("dkim"), dict):
            mail["dkim"].setdefault("domain", domain)


def _complete_ports(tree: Tree, smtp: object) -> None:
    if isinstance(smtp, dict):
        security = smtp.get("security")
        smtp.setdefault("port", PORTS.get(security, 587) if isinstance(security, str) else 587)
    for mailbox in _MAILBOXES:
        imap = lookup(tree, mailbox)
        if isinstance(imap, dict) and imap.get("security") in _CLEAR_AT_FIRST:
            imap.setdefault("port", 143)


def _as_tree(value: object) -> Any:
    """Return a copy in which sections that are models already are trees of what was set in them."""
    if isinstance(value, BaseModel):
        value = {name: getattr(value, name) for name in value.model_fields_set}
    if isinstance(value, dict):
        return {name: _as_tree(below) for name, below in value.items()}
    return [_as_tree(entry) for entry in value] if isinstance(value, list | tuple) else value


def _named(user_agent: str, operator: str) -> str:
    named = user_agent.replace("{version}", version("trialwatch"))
    return named.replace("{operator}", quote(operator, safe="@+"))


# --- registry and mail ------------------------------------------------------------------------------------------------


def _checks_are_not_too_frequent(tree: Tree, default_base_url: str) -> Iterator[Problem]:
    base_url = lookup(tree, "registry.base_url") or default_base_url
    check_every = _understood(parse_duration, lookup(tree, "registry.check_every"))
    host = _understood(_host_of, base_url)
    if check_every is not None and check_every < SHORTEST_PUBLIC_CHECK and host and not is_loopback(host):
        least = format_duration(SHORTEST_PUBLIC_CHECK)
        yield Problem(
            key="registry.check_every",
            says=f'"{format_duration(check_every)}" is too often for a public service; write "{least}" or more',
        )


def _mail_needs_a_sender(tree: Tree) -> Iterator[Problem]:
    if lookup(tree, "mail.smtp") is not None and lookup(tree, "mail.sender") is None:
        yield Problem(
            key="mail.sender",
            says="is missing although [mail.smtp] is given; write an address that the server lets this program use, "
            'as in sender = "trialwatch@example.org"',
        )


def _sender_can_be_answered(tree: Tree) -> Iterator[Problem]:
    """These addresses stand in every mail, also for readers whose servers know only ASCII before the @."""
    sender = "operator" if lookup(tree, "mail.sender") is None else "mail.sender"  # the operator's unless given
    for key in (sender, "mail.reply_to"):
        address = _understood(normalise_address, lookup(tree, key))
        if address is not None and not address.rpartition("@")[0].isascii():
            yield Problem(
                key=key,
                says=f"{quoted(address)} has other characters than ASCII before the @, which many mail servers refuse; "
                'write one without, as in "trials@example.org"',
            )


def _login_is_complete(tree: Tree) -> Iterator[Problem]:
    username, oauth2 = lookup(tree, "mail.smtp.username"), lookup(tree, "mail.smtp.oauth2")
    passwords = [lookup(tree, "mail.smtp.password"), lookup(tree, "mail.smtp.password_file")]
    password = next((given for given in passwords if given is not None), None)
    if oauth2 is not None and password is not None:
        yield Problem(
            key="mail.smtp.oauth2",
            says="is given beside a password; keep one of them: [mail.smtp.oauth2], or mail.smtp.password_file",
        )
    if oauth2 is not None and username is None:
        yield Problem(
            key="mail.smtp.username",
            says="is missing although [mail.smtp.oauth2] is given; write the mailbox that mail is sent from, "
            'as in username = "trialwatch@example.org"',
        )
    if username is not None and password is None and oauth2 is None:
        yield Problem(
            key="mail.smtp.username",
            says="is given without a password; add mail.smtp.password_file (or password, or [mail.smtp.oauth2]), "
            "or leave it out",
        )
    if username is None and password is not None:
        yield Problem(
            key="mail.smtp.username",
            says='is missing although a password is given; write it as in username = "trialwatch", or leave both out',
        )


def _mailboxes_have_passwords(tree: Tree) -> Iterator[Problem]:
    for mailbox in _MAILBOXES:
        given = (lookup(tree, f"{mailbox}.password"), lookup(tree, f"{mailbox}.password_file"))
        if lookup(tree, f"{mailbox}.username") is not None and given == (None, None):
            yield Problem(
                key=f"{mailbox}.username",
                says=f"is given without a password; add {mailbox}.password_file (or password)",
            )


def _return_addresses_fit(tree: Tree) -> Iterator[Problem]:
    """An address with its addition must still be one, and be understood by servers that know only ASCII."""
    address = _understood(normalise_address, lookup(tree, "mail.bounces.address"))
    local = address.rpartition("@")[0] if address else ""
    longest = LONGEST_LOCAL_PART - 1 - 2 * TOKEN_BYTES
    if not local.isascii() or len(local) > longest:
        yield Problem(
            key="mail.bounces.address",
            says=f"{quoted(str(address))} should have at most {longest} ASCII characters before the @, because "
            'each mail adds a word of its own there; write a shorter one, as in "bounces@example.org"',
        )


def _clear_text(tree: Tree) -> Iterator[Problem]:
    for section, what in (("mail.smtp", "send mail to"), *((one, "send the password to") for one in _MAILBOXES)):
        host = lookup(tree, f"{section}.host")
        if lookup(tree, f"{section}.security") == "none" and isinstance(host, str) and not is_loopback(host.strip()):
            yield Problem(
                key=f"{section}.security",
                says=f'"none" would {what} {quoted(host)} in clear text; write "starttls" or "tls" '
                '("none" is for a server on this machine, such as 127.0.0.1)',
            )


def _signature_counts(tree: Tree) -> Iterator[Problem]:
    """A signature of a domain that the sender is not in helps nobody (DMARC, RFC 7489 section 3.1.1)."""
    domain = lookup(tree, "mail.dkim.domain")
    sender = lookup(tree, "operator" if lookup(tree, "mail.sender") is None else "mail.sender")
    of_sender = (_understood(normalise_address, sender) or "").rpartition("@")[2]
    if isinstance(domain, str) and of_sender and not f".{of_sender}".endswith(f".{domain.strip().lower()}"):
        yield Problem(
            key="mail.dkim.domain",
            says=f"{quoted(domain)} does not answer for mail from {quoted(of_sender)}; "
            "write that domain, or leave the key out",
        )


# --- watch lists ------------------------------------------------------------------------------------------------------


def _repeated_names(tree: Tree) -> Iterator[Problem]:
    named = [(index, watchlist.get("name")) for index, watchlist in _tables(tree.get("watchlist"))]
    texts = [(index, name) for index, name in named if isinstance(name, str) and name.strip()]
    for index, first, name in _repetitions(texts, lambda text: text.strip().casefold()):
        yield Problem(
            key=f"watchlist[{index}].name",
            says=f"{quoted(name)} is the name of watchlist[{first}] already; give each list a name of its own",
        )


def _repeated_entries(watchlist: Tree, key: str) -> Iterator[Problem]:
    trials = watchlist.get("trials")
    listed = list(enumerate(trials)) if isinstance(trials, list) else []
    for index, first, trial in _repetitions(listed, normalise_nct_id):
        yield Problem(
            key=f"{key}.trials[{index}]",
            says=f"{quoted(trial)} is in this list already, as trials[{first}]; write it once",
        )
    recipients = [(index, recipient.get("address")) for index, recipient in _tables(watchlist.get("recipients"))]
    for index, first, address in _repetitions(recipients, lambda text: normalise_reader(text).casefold()):
        yield Problem(
            key=f"{key}.recipients[{index}].address",
            says=f"{quoted(address)} is in this list already, as recipients[{first}]; write it once",
        )


def _repetitions(entries: list[tuple[int, Any]], normalise: Callable[[str], str]) -> Iterator[tuple[int, int, str]]:
    """Yield index, index of the first like it, and text of each entry that is there a second time."""
    first_seen: dict[str, int] = {}
    for index, entry in entries:
        same = _understood(normalise, entry)
        if same is not None and first_seen.setdefault(same, index) != index:
            yield index, first_seen[same], entry


# --- reading what was not judged yet ----------------------------------------------------------------------------------


def _tables(value: object) -> list[tuple[int, Tree]]:
    entries = value if isinstance(value, list) else []
    return [(index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict)]


def _understood(read: Callable[[str], Value], value: object) -> Value | None:
    """Return what ``read`` makes of a text; ``None`` when it is no text or no such value, which is told elsewhere."""
    try:
        return read(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _host_of(url: str) -> str | None:
    return urlsplit(url).hostname
