"""A sandbox for an administrator's templates that comes to an end, however they loop.

Counts the steps of loops and the calls, and refuses what would not fit into memory.  A mistake is caught, not malice:
one step may still be a long one (a filter over a long list), and memory can be filled in many small steps.
"""

import sys
from collections.abc import Iterator
from types import CodeType
from typing import Any

from jinja2 import TemplateRuntimeError, TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

STEPS = (
    1_000_000  # of all loops and calls of one rendering; a mail of a thousand changed trials takes tens of thousands
)
LENGTH = 50_000_000  # characters of one part of a mail; no mail server takes more
_BITS = 10_000  # of a whole number
_COUNTED = "_counted"


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Renders one template at a time; threads may not share it."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, *, bounded: bool, **options: Any) -> None:
        """Prepare.

        Args:
            bounded: whether what is counted is held against a limit; the built-in templates end by themselves.
            options: Jinja's.
        """
        super().__init__(**options)
        self._most_steps, self._most_length = (STEPS, LENGTH) if bounded else (sys.maxsize, sys.maxsize)
        self._steps = 0

        @pass_context  # so that nothing is counted when a template is compiled
        def counted(_context: Context, items: Any) -> Iterator[Any]:
            for item in items:
                self._step()
                yield item

        self.filters[_COUNTED] = counted

    def render_bounded(self, name: str, facts: dict[str, object]) -> str:
        """Return what a template writes.

        Raises:
            TemplateRuntimeError: it takes too many steps, or writes too much; and whatever else templates raise.
        """
        self._steps, length, pieces = 0, 0, []
        for piece in self.get_template(name).generate(facts):
            length += len(piece)
            if length > self._most_length:
                raise TemplateRuntimeError(f"it writes more than {self._most_length:,} characters")
            pieces.append(piece)
        return "".join(pieces)

    def compile(self, source: Any, name: str | None = None, filename: str | None = None, *options: Any) -> Any:
        """Compile a template in which each loop's steps are counted."""
        parsed = source if isinstance(source, nodes.Template) else self.parse(source, name, filename)
        for loop in parsed.find_all(nodes.For):
            if loop.recursive:
                raise TemplateSyntaxError("recursive loops are not offered here", loop.lineno, name, filename)
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno, environment=self)
        compiled: CodeType | str = super().compile(parsed, name, filename, *options)
        return compiled

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 as in the library
        __self._step()
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply, unless the product is out of all proportion."""
        if _size_of(operator, left, right) > LENGTH or _bits_of(operator, left, right) > _BITS:
            raise TemplateRuntimeError(f"{operator} makes something too large")
        return super().call_binop(context, operator, left, right)

    def _step(self) -> None:
        self._steps += 1
        if self._steps > self._most_steps:
            raise TemplateRuntimeError(f"it takes more than {self._most_steps:,} steps; are there loops within loops?")


def _size_of(operator: str, left: Any, right: Any) -> int:
    """Return how many items a text or a list that is repeated will have."""
    if operator == "*":
        for items, times in ((left, right), (right, left)):
            if isinstance(items, str | bytes | list | tuple) and isinstance(times, int):
                return len(items) * times
    return 0


def _bits_of(operator: str, left: Any, right: Any) -> int:
    """Return about how many bits a whole number that comes out has."""
    if not (isinstance(left, int) and isinstance(right, int)):
        return 0
    return left.bit_length() * right if operator == "**" else left.bit_length() + right.bit_length()
