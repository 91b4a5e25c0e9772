"""What fits into a mail: the worst in full, the others by name, the rest counted; never more than a mail may hold."""

import pytest

from watcher.core.budget import Fitting, fit
from watcher.core.digest import Sentence, TrialBlock, Version
from watcher.core.texts.worddiff import Segment, SegmentKind
from watcher.core.words.details import Detail
from watcher.model import Severity
from watcher.render.letters import Coverage, Letters, letter_of_changes
from watcher.render.templates import Templates

LARGEST = 80_000  # bytes of HTML


def sentence(words: int = 8, *, details: int = 0) -> Sentence:
    segments = tuple(Segment(kind=kind, text="words of a passage " * 10) for kind in list(SegmentKind)[:3])
    detail = Detail(label="Inclusion, reworded", segments=segments, text="words of a passage " * 30)
    return Sentence(
        text="a sentence " * words,
        headline="headline",
        severity=Severity.MINOR,
        category="design",
        details=(detail,) * details,
    )


def trial(number: int, *, sentences: int = 3, words: int = 8, details: int = 0, clauses: int = 0) -> TrialBlock:
    version = Version(
        origin="Sponsor update posted 2026-03-02",
        sentences=(sentence(words, details=details),) * sentences,
        clauses=("a clause of some length",) * clauses,
        not_told=0,
    )
    return TrialBlock(nct_id=f"NCT{number:08}", title="A Study With a Title", versions=(version,))


def left_out(fitting: Fitting) -> int:
    return sum(version.left_out for block in fitting.blocks for version in block.versions)


CASES = {
    "a thousand trials": [trial(number) for number in range(1_000)],
    "one trial with thousands of changes": [trial(1, sentences=4_000)],
    "one trial with thousands of clauses": [trial(1, clauses=5_000)],
    "long sentences": [trial(number, words=180, sentences=30) for number in range(50)],
    "long passages": [trial(number, details=6, sentences=10) for number in range(50)],
}


@pytest.mark.parametrize("blocks", CASES.values(), ids=CASES.keys())
def test_no_digest_is_larger_than_a_mail_program_shows(blocks: list[TrialBlock]) -> None:
    letter = letter_of_changes(blocks, Coverage(verified=1, watched=len(blocks), data_date="2026-03-02"))
    rendered, failed = Letters(Templates(), Templates()).render(letter)
    assert failed is None
    assert len(rendered.html.encode()) < LARGEST
    assert len(rendered.text.encode()) < LARGEST


@pytest.mark.parametrize("blocks", CASES.values(), ids=CASES.keys())
def test_everything_is_told_named_or_counted(blocks: list[TrialBlock]) -> None:
    fitting = fit(blocks)
    assert len(fitting.blocks) + len(fitting.named) + fitting.more == len(blocks)
    told = sum(block.told for block in fitting.blocks) + left_out(fitting)
    assert told == sum(block.told for block in blocks[: len(fitting.blocks)])
    assert [named.told for named in fitting.named] == [
        block.told for block in blocks[len(fitting.blocks) :][: len(fitting.named)]
    ]


def test_an_ordinary_digest_is_told_in_full() -> None:
    blocks = (trial(1), trial(2, details=2), trial(3, clauses=5))
    assert fit(blocks) == Fitting(blocks=blocks, named=(), more=0, complete=True)


def test_one_trial_with_many_changes_does_not_crowd_out_the_others() -> None:
    fitting = fit([trial(1, sentences=4_000), trial(2), trial(3)])
    assert [block.nct_id for block in fitting.blocks] == ["NCT00000001", "NCT00000002", "NCT00000003"]


@pytest.mark.parametrize(
    "blocks",
    [[trial(1, sentences=4_000)], [trial(1, sentences=12, details=6)], [trial(n) for n in range(1, 1_000)]],
    ids=["sentences are left out", "words below sentences are left out", "trials are left out"],
)
def test_a_digest_of_which_something_is_left_out_says_so(blocks: list[TrialBlock]) -> None:
    assert not fit(blocks).complete


def test_the_sentences_are_kept_before_the_words_below_them() -> None:
    (block,) = fit([trial(1, sentences=12, details=6)]).blocks
    assert len(block.sentences) == 12
    assert block.sentences[-1].details == ()
    assert block.sentences[-1].details_left_out == 6
