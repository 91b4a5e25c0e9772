"""How alike two outcomes are: by what they name, not by their letters."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.items.abbreviations import meanings
from watcher.core.items.outcome_reading import read_outcomes
from watcher.core.items.outcome_words import plain, stem, wording
from watcher.core.items.outcomes import DOUBTFUL, REWORDED
from watcher.core.items.similarity import similarity
from watcher.model import Json

WORDS = ("overall", "survival", "pain", "VAS", "HbA1c", "week", "12", "24", "change", "of", "patients", "by", "(PFS)")
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
outcomes = st.fixed_dictionaries({"measure": texts}, optional={"timeFrame": texts, "description": texts})


def alike(old: str, new: str, *, others: tuple[str, ...] = ()) -> float:
    """Return how alike two measures are, beside other outcomes that both versions have."""
    olds, news = read_outcomes(
        [{"measure": old}, *({"measure": each} for each in others)],
        [{"measure": new}, *({"measure": each} for each in others)],
    )
    return similarity(olds[0], news[0])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("OS", "Overall survival", id="a known abbreviation"),
        pytest.param("TTNT", "Time to next treatment (TTNT)", id="an abbreviation that the other version explains"),
        pytest.param("6MWD", "Six-minute walk distance, 6MWD (6 minute walk distance)", id="explained the other way"),
        pytest.param("XYQ total score", "Xylo Yield Questionnaire total score", id="initials"),
        pytest.param("SVR12", "Sustained virologic response at week 12", id="an abbreviation with a number"),
        pytest.param("Tumour haemorrhage", "Tumor hemorrhage", id="two spellings"),
        pytest.param("Vommiting", "Vomiting", id="a typing error"),
        pytest.param("Pain", "Change in pain from baseline measured by VAS", id="a longer form"),
        pytest.param("Survival, overall", "Overall survival", id="another order"),
        pytest.param("Side effects", "Number of patients with adverse events", id="side effects"),
        pytest.param("IL-6 level", "Serum IL6", id="a hyphen"),
        pytest.param("PASI75", "PASI 75 response", id="a number that stands apart"),
    ],
)
def test_other_words_for_the_same_are_alike(old: str, new: str) -> None:
    assert alike(old, new) >= REWORDED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("Overall survival", "Progression-free survival", id="two endpoints that share a word"),
        pytest.param("Complete response", "Partial response", id="two degrees"),
        pytest.param("Number of patients with stroke", "Number of patients with fractures", id="in a common frame"),
        pytest.param("Incidence of hypertension", "Incidence of hypotension", id="two words that look alike"),
        pytest.param(
            "Overall survival of patients with advanced example cancer",
            "Response rate of patients with advanced example cancer",
            id="in the same patients",
        ),
        pytest.param("Serum iron", "Serum ferritin", id="in the same fluid"),
    ],
)
def test_another_thing_in_like_words_is_not_alike(old: str, new: str) -> None:
    assert alike(old, new) < DOUBTFUL


def test_of_two_times_the_same_one_is_more_alike() -> None:
    assert alike("HbA1c at week 12", "Change in HbA1c at week 12") > alike(
        "HbA1c at week 12", "Change in HbA1c at week 24"
    )


def test_a_word_that_every_outcome_of_the_record_has_says_little() -> None:
    others = ("Clearance of example-tinib", "Half-life of example-tinib", "Volume of example-tinib")

    assert alike("Cmax of example-tinib", "AUC of example-tinib", others=others) < alike(
        "Cmax of example-tinib", "AUC of example-tinib"
    )


def test_what_moves_to_the_time_frame_or_the_description_is_still_there() -> None:
    olds, news = read_outcomes(
        [{"measure": "Walking distance at discharge"}],
        [{"measure": "Walking distance", "timeFrame": "At discharge"}],
    )
    assert similarity(olds[0], news[0]) >= 0.9


@given(outcomes, outcomes)
def test_the_direction_does_not_matter(one: Json, other: Json) -> None:
    (first,), (second,) = read_outcomes([one], [other])
    (again_second,), (again_first,) = read_outcomes([other], [one])

    assert 0 <= similarity(first, second) <= 1
    assert similarity(first, second) == similarity(second, first) == similarity(again_second, again_first)


@given(outcomes)
def test_nothing_is_more_alike_than_the_same(one: Json) -> None:
    (first,), (second,) = read_outcomes([one], [one])

    assert similarity(first, second) == pytest.approx(1) or not any(wording(text) for text in one.values())


@pytest.mark.parametrize("nothing", [None, "text", 7, [], {}, {"measure": None}, {"measure": ["a"]}])
def test_what_says_nothing_is_read_all_the_same(nothing: Json) -> None:
    (first,), (second,) = read_outcomes([nothing], [{"measure": "Pain"}])

    assert similarity(first, second) <= DOUBTFUL


def test_an_abbreviation_is_taken_from_the_record_before_common_usage() -> None:
    known = meanings(["OS in the lens"], ["Optical scatter (OS) in the lens"])

    assert known["os"] == ("optical", "scatter")


def test_the_first_letters_of_any_words_are_no_explanation() -> None:
    assert "pd" not in meanings(["PD-L1 status"], ["Pain during movement"])


@pytest.mark.parametrize(
    "words",
    [
        ("tumour", "tumor", "tumours"),
        ("randomisation", "randomization"),
        ("oedema", "edema"),
        ("evaluation", "evaluated", "evaluate"),
        ("hypoglycaemia", "hypoglycemic"),
        ("relapse", "recurrence", "relapsed"),
    ],
    ids=lambda words: words[0],
)
def test_forms_of_a_word_are_one_word(words: tuple[str, ...]) -> None:
    assert all(stem(one) == stem(other) for one, other in pairwise(words))


@pytest.mark.parametrize(
    ("one", "other"), [("hypertension", "hypotension"), ("survival", "surgery"), ("systolic", "diastolic")]
)
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        pytest.param("<p>Pain &gt; 3</p>", " Pain > 3 ", id="tags and entities"),
        pytest.param("Change \\> 5\\%", "Change > 5%", id="escapes"),
        pytest.param("HbA1c <7% and >5%", "HbA1c <7% and >5%", id="comparisons are no tags"),
        pytest.param("Ｐａｉｎ ½", "Pain 1⁄2", id="look-alikes"),
        pytest.param("post-operative IL-6", "postoperative IL6", id="hyphens"),
    ],
)
def test_the_form_of_a_text_does_not_count(text: str, bare: str) -> None:
    assert plain(text) == bare
