"""The templates, and the formatting that they may use.

An administrator's folder overrides single templates by name.  Templates run in a sandbox: they read what they are
given and nothing else.  Undefined names are errors, HTML is escaped, no filter takes escaping away, and what a record
holds of control and invisible characters reaches no mail.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import css_inline
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from markupsafe import Markup, escape

from watcher.core.text import one_line
from watcher.errors import TrialwatchError
from watcher.render.bounded import BoundedEnvironment
from watcher.render.counts import plural

_DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?\b")
TEXT_WIDTH = 72  # columns
RECORD_URL = "https://clinicaltrials.gov/study/"
_BUILT_IN = Path(__file__).parents[1] / "templates"  # in an installed package
_CHECKOUT = Path(__file__).parents[2] / "templates"


# What a template can do wrong beside its syntax: divide by nothing, add a number to a text, not be UTF-8.
_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


class TemplateFailed(TrialwatchError):
    """A template cannot be rendered.

    Attributes:
        name: of the template.
    """

    def __init__(self, name: str, error: Exception) -> None:
        words = error.message if isinstance(error, TemplateError) else None
        super().__init__(f"template {name}: {words or error or type(error).__name__}")
        self.name = name


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A mail as templates make it: three texts with the same facts."""

    subject: str  # one line
    text: str
    html: str


class Templates:
    """Renders the three parts of a mail."""

    def __init__(self, overrides: Path | None = None) -> None:
        """Open the templates.

        Args:
            overrides: the administrator's folder; a template that it lacks is taken from the built-in ones.
        """
        folders = [overrides] if overrides else []
        folders.append(_BUILT_IN if _BUILT_IN.is_dir() else _CHECKOUT)
        loaders: list[BaseLoader] = [FileSystemLoader(folder) for folder in folders]
        self._environment = BoundedEnvironment(
            bounded=overrides is not None,
            loader=ChoiceLoader(loaders),
            autoescape=lambda name: name is not None and name.endswith(".html"),
            undefined=StrictUndefined,
            finalize=visible,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            wrapped=wrapped, record_url=record_url, moment=moment, plural=plural, whole_dates=whole_dates
        )
        # Nothing is ever loaded from elsewhere; the library's default would.
        self._inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)

    def render(self, name: str, facts: Mapping[str, object]) -> Rendered:
        """Render ``mail/<name>.subject.txt``, ``mail/<name>.txt`` and ``mail/<name>.html``.

        Raises:
            TemplateFailed: a template is missing, broken, comes out empty, takes too much time or space, or uses a name
                that it is not given.
        """
        subject = one_line(self._part(f"mail/{name}.subject.txt", facts))
        text = self._part(f"mail/{name}.txt", facts)
        return Rendered(subject=subject, text=text, html=self._html(f"mail/{name}.html", facts))

    def page(self, name: str, facts: Mapping[str, object]) -> str:
        """Render one template as it is, for ``pages.py``.

        Raises:
            TemplateFailed: as ``render``.
        """
        return self._part(name, facts)

    def _part(self, name: str, facts: Mapping[str, object]) -> str:
        try:
            part = self._environment.render_bounded(name, dict(facts))
        except _FAULTS as error:
            raise TemplateFailed(name, error) from error
        if not part.strip():
            raise TemplateFailed(name, ValueError("it comes out empty; a mail needs it"))
        return part

    def _html(self, name: str, facts: Mapping[str, object]) -> str:
        html = self._part(name, facts)
        try:
            return self._inliner.inline(html)
        except _FAULTS as error:
            raise TemplateFailed(name, error) from error


def visible(value: object) -> object:
    """Return what a template is about to write, lines as they are, without control and invisible characters."""
    if not isinstance(value, str) or value.replace("\n", "").isprintable():
        return value
    lines = ("".join(char if char.isprintable() else " " for char in line) for line in value.split("\n"))
    return type(value)("\n".join(lines))


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Return text in lines of at most 72 columns, indented; the first line begins with ``first`` instead."""
    lines = textwrap.wrap(
        one_line(text),
        width=TEXT_WIDTH,
        initial_indent=first or " " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def whole_dates(text: str) -> Markup:
    """Return text for HTML, escaped, in which no date is broken at its hyphens, as browsers would."""
    return Markup(_DATE.sub(r'<span class="date">\g<0></span>', str(escape(text))))  # noqa: S704 escaped


def record_url(nct_id: str) -> str:
    """Return the address of a record's page at the registry."""
    return RECORD_URL + nct_id


def moment(data_timestamp: str) -> str:
    """Return the day of the registry's timestamp, which is all that a reader needs of it."""
    return data_timestamp.partition("T")[0]
