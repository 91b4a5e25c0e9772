"""How alike two names are: word by word, numbers counting double."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.core.items.names import folded, name_likeness, name_of

COMMON = frozenset({"arm", "of", "the", "hospital", "university"})


def likeness(old: str, new: str) -> float:
    return name_likeness(*(name_of(text, common=COMMON, letters_are_marks=True) for text in (old, new)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("  Hôpital  de l’Exemple\n", "hopital de lexemple", id="accents, apostrophes, white space"),
        pytest.param("St. Example's (North)", "st examples north", id="punctuation"),
        pytest.param("Children&#39;s &amp; Women&#x27;s", "childrens womens", id="entities"),
        pytest.param(
            "Tıp Øst Łódź STRASSE straße", "tip ost lodz strasse strasse", id="letters without a decomposition"
        ),
        pytest.param("示例医院", "示例医院", id="another script"),
        pytest.param("— ?", "", id="no words"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_folded_text_is_its_words(text: str, words: str) -> None:
    assert folded(text) == words


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("Examplemab (EX-12)", "Examplemab", id="a code dropped"),
        pytest.param("Arm I", "Arm I (standard dose)", id="an explanation added"),
        pytest.param("Cohort B: Maintenance thrapy", "Cohort B: Maintenance therapy", id="a misspelling"),
        pytest.param("First Example Hospital", "1st Example Hospital", id="an ordinal in figures"),
        pytest.param("Arm II", "Arm 2", id="a Roman numeral"),
        pytest.param("Standard of care", "Standard of Care (SOC)", id="an abbreviation added"),
        pytest.param("Schedule A", "Part 1 - Schedule A", id="a part put before"),
        pytest.param("Sun rise centre", "Sunrise Centre", id="a space"),
    ],
)
def test_spellings_of_one_name_are_alike(old: str, new: str) -> None:
    assert likeness(old, new) >= 0.6
    assert likeness(new, old) == likeness(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("Cohort 3", "Cohort 4", id="numbers"),
        pytest.param("Arm A", "Arm B", id="letters"),
        pytest.param("Arm I", "Arm II", id="Roman numerals"),
        pytest.param("Examplemab Q2W", "Examplemab Q4W", id="words with digits"),
        pytest.param("First Hospital of Example", "Second Hospital of Example", id="ordinals"),
        pytest.param("The University Arm", "The University Hospital", id="only words that say little"),
        pytest.param("University of Northland", "University of Southland", id="names of one sound"),
        pytest.param("Examplemab", "Otherinib", id="other names"),
        pytest.param("Arm", "", id="no name"),
    ],
)
def test_names_of_two_things_are_not_alike(old: str, new: str) -> None:
    assert likeness(old, new) < 0.6
    assert likeness(new, old) == likeness(old, new)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.text("ab1 iI-é&", max_size=12), st.text("ab1 iI-é&", max_size=12))
def test_likeness_has_no_direction_and_stays_between_none_and_all(one: str, other: str) -> None:
    found = likeness(one, other)

    assert 0 <= found <= 1.000_001
    assert likeness(other, one) == pytest.approx(found)
    if folded(one):
        assert likeness(one, one) == pytest.approx(1)
