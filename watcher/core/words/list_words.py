"""The sentences about items of lists: how many came or went, sites and their countries, outcomes that moved.  Pure.

Some items are named, the others counted; labels are the registry's own.
"""

from collections.abc import Collection, Iterable

from watcher.core.differences import ITEM_SEPARATOR
from watcher.core.fields import FieldTable, value_at
from watcher.core.items.outcomes import SECTIONS, section_of
from watcher.core.items.places import country_key
from watcher.core.paths import CITY, COUNTRY, REFERENCES
from watcher.core.words.phrases import (
    Wording,
    counted,
    in_sentence,
    item_words,
    label_of,
    listed,
    named,
    now,
    quoted,
    same,
    was,
)
from watcher.core.words.stories import Story
from watcher.model import Difference, How, Json


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
    come = _countries((_country(one.path, one.new) for one in story.differences), after - before)
    gone = _countries((_country(one.path, one.old) for one in story.differences), before - after)
    first = f"first {'location' if len(come) == 1 else 'locations'} in {listed(come)}"
    last = f"no location in {listed(gone, last='or')} any more"
    return [said for names, said in ((come, first), (gone, last)) if names]


def _country(path: str, value: Json) -> Json:
    return value if path == COUNTRY else value_at(value, "country")


def _countries(names: Iterable[Json], keys: Collection[str]) -> list[str]:
    """Return each of some countries once, as it is written, in the order of the alphabet."""
    found = {country_key(name): quoted(name) for name in names if isinstance(name, str)}
    return sorted(name for key, name in found.items() if key in keys)


def word_moved_sites(story: Story, _table: FieldTable) -> Wording:
    """Return the sentence for locations that are in another city or country now."""
    moves: list[tuple[str, dict[str, str]]] = []  # the item, and what is new of its place, by path
    for one in story.differences:
        name = one.item or "a location without a name"
        if not moves or moves[-1][0] != name or one.path in moves[-1][1]:
            moves.append((name, {}))
        moves[-1][1][one.path] = quoted(str(one.new))
    said = [f"{quoted(name)} → {', '.join(new[at] for at in (CITY, COUNTRY) if at in new)}" for name, new in moves]
    headline = f"Location moved: {said[0]}" if len(said) == 1 else f"{len(said):,} locations moved"
    sentence = headline if len(said) == 1 else f"{headline}: {named(said)}"
    return Wording(headline=headline, sentence="; ".join([sentence, *country_words(story)]))


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
    notices = _notices(item)
    what = f"Retracted {in_sentence(label)}" if notices else label
    headline = f"{what} {difference.how.value}{words}"
    notice = f" ({_notice(notices[0])})" if notices and _notice(notices[0]) else ""
    return Wording(headline=headline, sentence=f"{headline}: {item_words(difference, table)}{notice}")


def publication_words(difference: Difference, table: FieldTable) -> str:
    """Return how one of several publications is called, and that it is retracted, if it is."""
    notices = _notices(difference.new if difference.how is How.ADDED else difference.old)
    said = [f"retracted{', ' if _notice(notice) else ''}{_notice(notice)}" for notice in notices[:1]]
    return item_words(difference, table) + "".join(f" ({words})" for words in said)


def word_retractions(story: Story, table: FieldTable) -> Wording:
    """Return the sentence for retractions of publications that stand in the record: which one, and by which notice."""
    parts: list[str] = []
    for how in How:
        notices = [one for one in story.differences if one.how is how]
        names = [_retracted(one) for one in notices]
        if names:
            rule = table.rule(notices[0].path)
            parts.append(counted_items(rule.label, rule.plural, how.value, names))
    if len(story.parts) == 1:
        return Wording(headline=parts[0].removesuffix(f" ({_notice_of(story.differences[0])})"), sentence=parts[0])
    return Wording(headline="; ".join(part.partition(":")[0] for part in parts), sentence="; ".join(parts))


def _retracted(difference: Difference) -> str:
    publication = (difference.item or "a publication without a name").partition(ITEM_SEPARATOR)[0]
    notice = _notice_of(difference)
    return f"{quoted(publication)} ({notice})" if notice else quoted(publication)


def _notice_of(difference: Difference) -> str:
    return _notice(difference.new if difference.how is How.ADDED else difference.old)


def _notices(publication: Json) -> list[Json]:
    notices = value_at(publication, "retractions")
    return notices if isinstance(notices, list) else []


def _notice(notice: Json) -> str:
    pmid = value_at(notice, "pmid")
    return f"retraction notice PMID {quoted(str(pmid))}" if pmid is not None else ""
