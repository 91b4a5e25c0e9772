"""What people paste as an NCT ID: what is taken, what is refused, and what the refusal says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.identifiers import FORM, normalise_nct_id

SURROUNDINGS = " \t\r\n\u00a0\u3000\u2003\u2028\u200b\u200d\u200f\u2060\ufeff"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("NCT07298239", id="as the registry writes it"),
        pytest.param("nct07298239", id="in lower case"),
        pytest.param("NcT07298239", id="in mixed case"),
        pytest.param(" nct07298239 ", id="between spaces"),
        pytest.param("\tNCT07298239\r\n", id="with a tab and a line end"),
        pytest.param("\u00a0NCT07298239\u00a0", id="between no-break spaces"),
        pytest.param("\ufeffNCT07298239", id="after a byte order mark"),
        pytest.param("\u200b NCT07298239 \u200b", id="between zero-width spaces with spaces inside them"),
        pytest.param("\u200eNCT07298239\u200f", id="between direction marks"),
    ],
)
def test_an_id_is_recognised(text: str) -> None:
    assert normalise_nct_id(text) == "NCT07298239"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("nct7298239", "'nct7298239' has 7 digits", id="seven digits"),
        pytest.param("NCT072982390", "'NCT072982390' has 9 digits", id="nine digits"),
        pytest.param("NCT1", "'NCT1' has 1 digit;", id="one digit"),
        pytest.param("nct", "'nct' has no digits", id="no digits"),
        pytest.param("", "the text is empty", id="nothing"),
        pytest.param(" \u200b\n", "the text is empty", id="white space only"),
        pytest.param("NCT00000000", "'NCT00000000' has no digit but 0", id="all zeros"),
        pytest.param("07298239", "does not begin with NCT", id="digits without the letters"),
        pytest.param("ISRCTN12345678", "does not begin with NCT", id="another registry's ID"),
        pytest.param("NCT0729823O", "has 'O' where only digits may stand", id="the letter O for a zero"),
        pytest.param("NCT-07298239", "has '-' where only digits may stand", id="a hyphen"),
        pytest.param("NCT 07298239", "white space inside", id="a space inside"),
        pytest.param("NCT0729\u200b8239", "white space inside", id="a zero-width space inside"),
        pytest.param("NCT07298239\nNCT07298240", "white space inside", id="two IDs on two lines"),
        pytest.param("NCT07298239,NCT07298240", "several IDs", id="two IDs with a comma"),
        pytest.param("NCT07298239|NCT07298240", "several IDs", id="two IDs with a bar"),
        pytest.param("https://clinicaltrials.gov/study/NCT07298239", "a web address", id="the record's page"),
        pytest.param("../../NCT07298239", "a path", id="a path"),
        pytest.param("NCT０７２９８２３９", "FULLWIDTH DIGIT ZERO", id="full-width digits"),
        pytest.param("NCT٠٧٢٩٨٢٣٩", "ARABIC-INDIC DIGIT ZERO", id="Arabic-Indic digits"),
        pytest.param("\uff2eCT07298239", "FULLWIDTH LATIN CAPITAL LETTER N", id="a full-width letter"),
        pytest.param("NC\u042207298239", "CYRILLIC CAPITAL LETTER TE", id="a Cyrillic letter that looks like T"),
        pytest.param("NCT07298239\x00", "has '\\x00' where", id="a NUL at the end"),
        pytest.param("NCT07298239\x1b[31m", "has '\\x1b' where", id="a terminal escape at the end"),
    ],
)
def test_what_is_not_an_id_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as caught:
        normalise_nct_id(text)
    assert FORM in str(caught.value)


def test_the_reason_repeats_only_the_beginning_of_a_long_text_and_no_control_characters() -> None:
    with pytest.raises(ValueError) as caught:
        normalise_nct_id("NCT\x1b\u202e" + "9" * 10_000)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@given(
    number=st.integers(min_value=1, max_value=99_999_999),
    letters=st.sampled_from(["NCT", "nct", "Nct", "nCt", "ncT"]),
    before=st.text(SURROUNDINGS),
    after=st.text(SURROUNDINGS),
)
def test_case_and_surroundings_never_matter(number: int, letters: str, before: str, after: str) -> None:
    assert normalise_nct_id(f"{before}{letters}{number:08}{after}") == f"NCT{number:08}"


@given(
    st.one_of(
        st.text(),
        st.text("NCTnct0123456789 ０\u200b\n/", max_size=14),
        st.from_regex(re.compile(r"\s?NCT\d{7,9}\s?", re.IGNORECASE), fullmatch=True),
    )
)
def test_any_text_is_either_an_id_of_its_own_letters_and_digits_or_refused_in_words(text: str) -> None:
    try:
        taken, reason = normalise_nct_id(text), None
    except ValueError as refusal:
        taken, reason = None, str(refusal)

    if taken is None:
        assert reason is not None
        assert FORM in reason
        assert reason.isprintable()
    else:
        assert re.fullmatch(r"NCT[0-9]{8}", taken)
        assert taken in text.upper()
        assert normalise_nct_id(taken) == taken
