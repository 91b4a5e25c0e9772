"""The sentences about items of lists: how many came or went, sites and their countries, outcomes that moved.  Pure.

Some items are named, the others counted; labels are the registry's own.
"""

from watcher.core.fields import FieldTable, value_at
from watcher.core.items.outcomes import SECTIONS, section_of
from watcher.core.paths import REFERENCES
from watcher.core.words.phrases import (
    Wording,
    counted,
    in_sentence,
    item_words,
    label_of,
    named,
    now,
    quoted,
    same,
    was,
)
from watcher.core.words.stories import Story
from watcher.model import Difference, How


def counted_items(label: str, plural: str | None, verb: str, names: list[str]) -> str:
    """Return ``Location added: Hospital A``, ``12 secondary outcome measures removed: …``."""
    if len(names) == 1:
        return f"{label} {verb}: {names[0]}"
    return f"{len(names):,} {in_sentence(plural or label)} {verb}: {named(names)}"


def word_site_status(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for several sites whose status changed in the same way."""
    first, count = story.differences[0], len(story.differences)
    names = [difference.item or "a location without a name" for difference in story.differences]
    label = label_of(first.path, table)
    if first.how is How.ADDED:
        headline = f"{label} added, {count:,} locations: {now(first, table)}"
    elif first.how is How.REMOVED:
        headline = f"{label} removed, {count:,} locations: was {was(first, table)}"
    else:
        headline = f"{label}, {count:,} locations: {was(first, table)} → {now(first, table)}"
    return Wording(headline=headline, sentence=f"{headline} ({named(names)})")


def country_words(story: Story) -> list[str]:
    """Name the countries in which a study has its first location now, or none any more."""
    before, after = story.step.countries
    sites = [one.new if one.how is How.ADDED else one.old for one in story.differences]
    changed = {country for site in sites if isinstance(country := value_at(site, "country"), str)}
    come, gone = (sorted(changed & side) for side in (after - before, before - after))
    first = [f"first location in {named(list(map(quoted, come)))}"] if come else []
    return first + ([f"no location in {named(list(map(quoted, gone)))} any more"] if gone else [])


def word_moved_outcomes(story: Story) -> Wording:
    """Word promotions and demotions with the sections between which an outcome moved."""
    where = {value: name for name, value in zip(("primary", "secondary", "other"), SECTIONS, strict=True)}
    moves: dict[str, list[str]] = {}
    for difference in story.differences:
        was_in = where.get(section_of(difference.old, story.step.before) or "")
        move = f"{difference.how.value} {f'from {was_in} ' if was_in else ''}to {where[difference.path]}"
        moves.setdefault(move, []).append(quoted(difference.item or "an outcome without a title"))
    parts = [
        f"{counted(len(names), 'outcome measure') if len(names) > 1 else 'Outcome measure'} {move}: {named(names)}"
        for move, names in moves.items()
    ]
    if len(story.parts) == 1:
        return same(parts[0])
    return Wording(headline="; ".join(part.partition(":")[0] for part in parts), sentence="; ".join(parts))


def word_publication(difference: Difference, label: str, table: FieldTable) -> Wording:
    """Say of which kind a publication is: one of the study's results is another matter than background."""
    item = difference.new if difference.how is How.ADDED else difference.old
    kind = value_at(item, "type")
    words = f" ({quoted(table.words(f'{REFERENCES}.type', kind))})" if kind is not None else ""
    headline = f"{label} {difference.how.value}{words}"
    return Wording(headline=headline, sentence=f"{headline}: {item_words(difference, table)}")
