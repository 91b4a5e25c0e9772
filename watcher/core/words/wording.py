"""What happened, in one neutral sentence.  Pure.

Labels are the registry's own, values stand as they are in the record, enum values by their labels.  Nothing is
interpreted and nothing is generated.
"""

from collections.abc import Callable, Mapping

from watcher.core.fields import FieldTable, value_at
from watcher.core.items.outcomes import SECTIONS, better_section
from watcher.core.paths import ELIGIBILITY_CRITERIA, LOCATIONS, REFERENCES
from watcher.core.text import one_line
from watcher.core.weights.circumstances import SITE_STATUS
from watcher.core.weights.date_words import Milestone
from watcher.core.weights.step import ENROLLMENT, STATUS
from watcher.core.weights.values import STUDY_DATES
from watcher.core.words import stories
from watcher.core.words.document_words import document_words, word_document
from watcher.core.words.list_words import (
    counted_items,
    country_words,
    publication_words,
    word_moved_outcomes,
    word_moved_sites,
    word_publication,
    word_retractions,
    word_site_status,
)
from watcher.core.words.past import Past
from watcher.core.words.phrases import (
    NAMED_ITEMS,
    Wording,
    counted,
    is_long_text,
    item_words,
    label_of,
    named,
    now,
    quoted,
    same,
    value_change,
    was,
)
from watcher.core.words.regulatory_words import word_certification, word_violation
from watcher.core.words.responsible_words import word_responsible_party
from watcher.core.words.results_words import word_results, word_results_update, word_submission
from watcher.core.words.status_words import word_status
from watcher.core.words.stories import DOCUMENTS, Story
from watcher.core.words.text_words import FIGURES, word_criteria, word_text
from watcher.model import Difference, How, Json, Place

LONGEST_SENTENCE = 2_000  # characters; what a registry gone mad writes into a date must not fill a mail
MASKING = "protocolSection.designModule.designInfo.maskingInfo"
PHASES = "protocolSection.designModule.phases[]"
FACILITY = LOCATIONS + ".facility"
RETRACTIONS = REFERENCES + ".retractions[]"
_ITEM_WORDS = {REFERENCES: publication_words, DOCUMENTS: document_words}
OUTCOME_MEASURES = frozenset(f"{section}.measure" for section in SECTIONS)


def word_story(story: Story, table: FieldTable, past: Past) -> Wording:
    """Return the sentence that tells a story, and its short form, each on one line."""
    worded = _worded(story, table, past)
    # Not what came along, and not the type of a date: that it is an estimate again is no return.
    leading = [part.difference for part in story.parts if part.weight.place is Place.LINE]
    back = past.returned_to([difference for difference in leading if not difference.path.endswith(".type")])
    doubt = "; reworded substantially, please check" if any(one.doubtful for one in story.differences) else ""
    sentence = worded.sentence + doubt + _circumstance(story)
    if back:
        # Beside the value that is back, not behind what came along with it.
        lead = worded.headline if sentence.startswith(worded.headline) else sentence
        sentence = f"{lead} ({back}){sentence.removeprefix(lead)}"
    return Wording(headline=one_line(worded.headline, LONGEST_SENTENCE), sentence=one_line(sentence, LONGEST_SENTENCE))


def _circumstance(story: Story) -> str:
    """Say when the primary outcomes were changed, where that is what matters."""
    step = story.step
    primary = (better_section(one, step.before).startswith(SECTIONS[0]) for one in story.differences)
    if story.key in _SPECIAL or not any(primary):
        return ""
    if step.results_posted:
        return "; edited together with the posting of results"
    return "; after primary completion" if step.after_primary_completion else ""


def _worded(story: Story, table: FieldTable, past: Past) -> Wording:
    if special := _SPECIAL.get(story.key):
        return special(story, table)
    if story.key in STUDY_DATES:
        return _date(story, table, past)
    if story.key.startswith(f"{DOCUMENTS} ") and not story.differences[0].path.endswith("[]"):
        return word_document(story, table)
    if all(difference.path == FACILITY and difference.how is How.RENAMED for difference in story.differences):
        return _renamed_sites(story, table)
    if story.key.startswith(("resultsSection.", stories.NEWLY_REPORTED)):
        return word_results_update(story, table)
    return _plain(story, table)


def _plain(story: Story, table: FieldTable) -> Wording:
    if len(story.parts) > 1 or story.differences[0].path.endswith("[]"):
        return _group(story, table)
    return _single(story.differences[0], table)


def _date(story: Story, table: FieldTable, past: Past) -> Wording:
    told = story.step.milestone(Milestone(story.key))
    if told is None:
        return _plain(story, table)
    slipped = past.slipped(f"{story.key}.date", value_at(story.step.after, f"{story.key}.date"))
    if "M3" not in told.rules:
        slipped = None  # it did not move
    # The day until which the first value stood says more, and follows.
    slipped = (slipped or "").removesuffix(", back to the date first seen")
    return Wording(headline=told.headline, sentence=f"{told.sentence}; {slipped}" if slipped else told.sentence)


def _contacts(_story: Story, _table: FieldTable) -> Wording:
    return same("Contacts changed")


def _enrollment(story: Story, table: FieldTable) -> Wording:
    told = story.step.enrollment
    return Wording(headline=told.headline, sentence=told.sentence) if told else _plain(story, table)


def _responsible_party(story: Story, table: FieldTable) -> Wording:
    return word_responsible_party(story, table) or _plain(story, table)


def _masking(story: Story, table: FieldTable) -> Wording:
    """Word the masking with who is masked: ``Masking: None (Open Label) → Double (Participant, Investigator)``."""
    old, new = (_masked(value_at(record, MASKING), table) for record in (story.step.before, story.step.after))
    if old == new or not old or not new:
        return _plain(story, table)
    return same(f"{label_of(f'{MASKING}.masking', table).partition(':')[0]}: {old} → {new}")


def _phases(story: Story, table: FieldTable) -> Wording:
    """Word the phases as one value: ``Study Phase: Phase 2 → Phase 2/Phase 3``."""
    sides = [value_at(record, PHASES.removesuffix("[]")) for record in (story.step.before, story.step.after)]
    old, new = (
        "/".join(table.words(PHASES, one) for one in side) if isinstance(side, list) else None for side in sides
    )
    how = How.ADDED if old is None else How.REMOVED if new is None else How.CHANGED
    return value_change(label_of(PHASES, table), Difference(path="", item=None, how=how, old=old, new=new), table)


def _masked(masking: Json, table: FieldTable) -> str:
    """Return a masking in words, "" where none is given."""
    if masking is None:
        return ""
    kind, who = value_at(masking, "masking"), value_at(masking, "whoMasked")
    words = quoted(table.words(f"{MASKING}.masking", kind))
    people = [quoted(table.words(f"{MASKING}.whoMasked[]", one)) for one in who] if isinstance(who, list) else []
    return f"{words} ({', '.join(people)})" if people else words


def _group(story: Story, table: FieldTable) -> Wording:
    first = story.differences[0]
    if first.path == SITE_STATUS:
        return word_site_status(story, table)
    if first.path in SECTIONS and first.how in {How.PROMOTED, How.DEMOTED}:
        return word_moved_outcomes(story)
    if any(difference.path != first.path for difference in story.differences):
        return _several_leaves(story, table)
    label, plural = label_of(first.path, table), table.rule(first.path).plural
    if first.path == REFERENCES and len(story.parts) == 1:
        return word_publication(first, label, table)
    if first.path == RETRACTIONS:
        return word_retractions(story, table)
    words = _ITEM_WORDS.get(first.path, item_words)
    parts = [
        counted_items(label, plural, how.value, [words(one, table) for one in items])
        for how in How
        if (items := [one for one in story.differences if one.how is how])
    ]
    said = [*parts, *country_words(story)] if first.path == LOCATIONS else parts
    if len(story.parts) == 1:
        return Wording(headline=parts[0], sentence="; ".join(said))
    return Wording(headline="; ".join(part.partition(":")[0] for part in parts), sentence="; ".join(said))


def _several_leaves(story: Story, table: FieldTable) -> Wording:
    """Several values of one thing: each said by itself if there are few, a new name first."""
    first, *others = sorted(story.differences, key=_name_first)
    parts = [_value(difference, table) for difference in [first, *others][:NAMED_ITEMS]]
    more = len(story.differences) - NAMED_ITEMS
    together = all(difference.item == first.item for difference in others)
    if together and _is_name(first):
        renamed = _renamed(first, table)
        return Wording(headline=renamed, sentence="; ".join([renamed, *parts[1:]]) + _more_values(more))
    said = "; ".join(parts) + _more_values(more)
    if first.item is None or any(difference.item != first.item for difference in story.differences):
        return Wording(headline=parts[0], sentence=said)
    return Wording(headline=f"{quoted(first.item)}: {parts[0]}", sentence=f"{quoted(first.item)}: {said}")


def _more_values(count: int) -> str:
    return f"; and {counted(count, 'more value')}" if count > 0 else ""


def _name_first(difference: Difference) -> bool:
    return not _is_name(difference)


def _is_name(difference: Difference) -> bool:
    """Return whether it is the name of an item, or what an outcome measures, in other words that are short."""
    measure = difference.path in OUTCOME_MEASURES and difference.how is How.REWORDED
    return difference.how is How.RENAMED or (measure and not is_long_text(difference.old, difference.new))


def _renamed(difference: Difference, table: FieldTable) -> str:
    """Return ``Arm renamed: Dose 1 → Low dose``; a location with the place where it is."""
    label = label_of(difference.path.rpartition("[].")[0] + "[]", table)
    if difference.how is not How.RENAMED:
        return f"{label} {difference.how.value}: {was(difference, table)} → {now(difference, table)}"
    name = difference.item if difference.path == FACILITY and difference.item else was(difference, table)
    return f"{label} renamed: {quoted(name)} → {now(difference, table)}"


def _renamed_sites(story: Story, table: FieldTable) -> Wording:
    if len(story.parts) == 1:
        return same(_renamed(story.differences[0], table))
    changes = [f"{was(one, table)} → {now(one, table)}" for one in story.differences]
    headline = f"{len(changes):,} locations renamed"
    return Wording(headline=headline, sentence=f"{headline}: {named(changes)}")


def _single(difference: Difference, table: FieldTable) -> Wording:
    if _is_name(difference):
        return same(_renamed(difference, table))
    words = _value(difference, table)
    if difference.item is not None and "[]." in difference.path:
        words = f"{quoted(difference.item)}: {words}"
    return Wording(headline=words.partition(FIGURES)[0], sentence=words)


def _value(difference: Difference, table: FieldTable) -> str:
    """Word one value under its label; long texts by what became of them."""
    label = label_of(difference.path, table)
    if not is_long_text(difference.old, difference.new):
        return value_change(label, difference, table).sentence
    if isinstance(difference.old, str) and isinstance(difference.new, str):
        words = word_criteria if difference.path == ELIGIBILITY_CRITERIA else word_text
        return words(label, difference.old, difference.new)
    return value_change(label, difference, table).sentence


_SPECIAL: Mapping[str, Callable[[Story, FieldTable], Wording]] = {  # by the keys of their stories
    STATUS: word_status,
    ENROLLMENT: _enrollment,
    MASKING: _masking,
    PHASES: _phases,
    stories.RESULTS: word_results,
    stories.SUBMISSION: word_submission,
    stories.CERTIFICATION: word_certification,
    stories.VIOLATION: word_violation,
    stories.RESPONSIBLE: _responsible_party,
    stories.CONTACTS: _contacts,
    stories.MOVED_SITES: word_moved_sites,
}
