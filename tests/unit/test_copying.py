"""Copies of a mail: to the byte what would have been written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_mime import composed
from watcher.render.attachments import Attachment
from watcher.render.copying import Own, form_of

WORD = st.text("ABCXYZabcxyz0189-_", min_size=22, max_size=22)
KEY = st.text("0123456789abcdef", min_size=32, max_size=32)
ADDRESS = st.sampled_from(
    ["a@example.org", "a.rather.long.name.of.somebody@a-department.example.org", "jörg@example.org", "x@müller.example"]
)
TABLE = Attachment(name="changes.csv", media_type="text/csv; charset=utf-8", content=b"=" * 300)


def mail(own: Own, before: str, *, attached: bool) -> bytes:
    links = [f"https://watch.example.org/a/{word}" for word in own.words]
    text = before + "".join(f"\nAcknowledge: {link}\n{before}" for link in links)
    html = f"<p>{before}</p>" + "".join(f'<a href="{link}">Ä</a>{before}' for link in links)
    return composed(
        text=text,
        html=html,
        recipient=own.recipient,
        message_id=own.message_id,
        headers=[("List-Unsubscribe", f"<{links[0]}>")] if links else [],
        attachments=[TABLE] if attached else [],
    )


@given(data=st.data(), count=st.integers(0, 4), before=st.text(max_size=90), attached=st.booleans())
def test_a_copy_is_the_mail_that_would_have_been_written(
    data: st.DataObject, count: int, before: str, *, attached: bool
) -> None:
    words = data.draw(st.lists(WORD, min_size=2 * count, max_size=2 * count, unique=True))
    keys = data.draw(st.lists(KEY, min_size=2, max_size=2, unique=True))
    first = Own(recipient="nobody@copies.invalid", message_id=f"<{keys[0]}@example.org>", words=tuple(words[:count]))
    other = Own(recipient=data.draw(ADDRESS), message_id=f"<{keys[1]}@example.org>", words=tuple(words[count:]))

    form = form_of(mail(first, before, attached=attached), first)

    assert form.filled(other) == mail(other, before, attached=attached)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("short",), id="another length"),
        pytest.param((), id="fewer"),
        pytest.param(("<script>alert(1)</scri",), id="what HTML would take for more than text"),
    ],
)
def test_words_that_cannot_take_the_place_are_refused(words: tuple[str, ...]) -> None:
    first = Own(recipient="a@example.org", message_id="<a@example.org>", words=("A" * 22,))
    form = form_of(mail(first, "text", attached=False), first)

    with pytest.raises(ValueError, match="cannot"):
        form.filled(Own(recipient="b@example.org", message_id="<b@example.org>", words=words))
