"""What the registry's answers are taken for: cut off, written otherwise, or no answer of the registry at all."""

import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.edges.raw_server import RawServer, http_answer
from tests.edges.registry_clients import (
    IDS,
    MON,
    TUE,
    dataset,
    each_once,
    list_of,
    packed_list,
    records,
    refusals,
    wired,
)
from tests.factories import study
from tests.unit.full_records import table
from watcher.core.meaning import compare
from watcher.core.stamp import content_hash
from watcher.errors import RegistryError
from watcher.model import Json, Reason, Record
from watcher.registry.body import parse_page
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.days import Dataset


@pytest.fixture
def registry() -> DatasetAdapter:
    return DatasetAdapter(dataset())


# --- cut off ----------------------------------------------------------------------------------------------------------


def tiny(nct_id: str) -> Json:
    status = {"overallStatus": "RECRUITING", "text": 'a "} , text}'}
    return {"protocolSection": {"identificationModule": {"nctId": nct_id}, "statusModule": status}, "hasResults": False}


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
@pytest.mark.parametrize("alone", [True, False], ids=["one record", "a list"])
@pytest.mark.parametrize("length_told", [True, False], ids=["with a length", "without"])
def test_an_answer_that_is_cut_anywhere_gives_no_other_record(*, packed: bool, alone: bool, length_told: bool) -> None:
    registry = DatasetAdapter(Dataset.of({MON: [tiny(nct_id) for nct_id in IDS[:3]]}))
    asker = wired(transport=registry, attempts=1)
    if not packed:
        asker.connection.session.headers["Accept-Encoding"] = "identity"
    ids = IDS[:1] if alone else IDS[:3]
    truth = {nct_id: record.body for nct_id, record in records(asker.fetch(ids)).items()}
    assert sorted(truth) == ids

    for after in range(900):
        if alone:
            registry.fault("missing", nct_id=ids[0])
        registry.fault("cut", after=after, length_told=length_told)
        fetched = asker.fetch(ids)
        got = {nct_id: record.body for nct_id, record in records(fetched).items()}

        assert each_once(fetched) == ids
        assert got.items() <= truth.items()
        if got == truth:
            assert after > 50 * len(ids)
            return
    pytest.fail("the answer never came whole")


@pytest.mark.parametrize("told", [None, -1], ids=["with a length", "without"])
@pytest.mark.parametrize("kept", [False, True], ids=["a new record", "a known record"])
def test_an_answer_that_is_cut_anywhere_on_the_wire_gives_no_other_record(told: int | None, *, kept: bool) -> None:
    body = orjson.dumps(tiny(IDS[0]))
    whole = http_answer(body, told=told, Content_Type="application/json")
    known = {IDS[0]: content_hash(body)} if kept else {}
    end = 0

    def answer(head: str) -> list[bytes]:
        return [http_answer(list_of())] if "filter.ids" in head else [whole[:end]]

    with RawServer(answer) as server:
        asker = wired(url=server.url, attempts=1)
        for end in range(len(whole) + 1):
            fetched = asker.fetch(IDS[:1], known)
            assert each_once(fetched) == IDS[:1]
            assert all(record.body == body for record in records(fetched).values())
            assert bool(refusals(fetched)) is (end < len(whole))


def test_a_record_that_came_in_pieces_is_asked_for_again() -> None:
    body = orjson.dumps(tiny(IDS[0]))
    piece = body[: body.index(b"}") + 1]  # which looks as whole as the record does
    answers = iter([list_of(), piece, piece, body])
    with RawServer(lambda _head: [http_answer(next(answers), told=-1)]) as server:
        asker = wired(url=server.url)

        assert list(records(asker.fetch(IDS[:1]))) == IDS[:1]
    assert len(asker.waits) == 2


def test_a_record_that_calls_itself_by_two_names_is_refused() -> None:
    line = orjson.dumps(study(IDS[0])).replace(b'"nctId":', b'"nctId":"NCT00000002","nctId":', 1)
    with RawServer(lambda _head: [http_answer(b'{"studies":[\n' + line + b"\n]}")]) as server:
        fetched = wired(url=server.url).fetch([IDS[1]])

    assert refusals(fetched)[IDS[1]].reason is Reason.NOT_JSON


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a list"])
@pytest.mark.parametrize("indented", [True, False], ids=["indented", "on one line"])
@pytest.mark.parametrize("known", [True, False], ids=["a known record", "a new record"])
def test_a_record_with_a_key_that_comes_twice_is_refused(*, alone: bool, indented: bool, known: bool) -> None:
    line = orjson.dumps(study(IDS[0]), option=orjson.OPT_INDENT_2 if indented else 0)
    twice = re.sub(rb'"overallStatus":', rb'"overallStatus":"WITHDRAWN","overallStatus":', line)
    assert orjson.loads(twice) == study(IDS[0])  # the fast parser says nothing

    def answer(head: str) -> list[bytes]:
        is_list = "filter.ids" in head
        return [http_answer(b'{"studies":[\n' + (b"" if alone else twice) + b"\n]}" if is_list else twice)]

    with RawServer(answer) as server:
        fetched = wired(url=server.url, attempts=1).fetch(IDS[:1], {IDS[0]: b"another"} if known else {})

    (refusal,) = refusals(fetched).values()
    assert refusal.reason is Reason.NOT_JSON
    assert "'overallStatus' comes twice" in refusal.detail


@pytest.mark.parametrize(
    ("head", "filling"),
    [(b'{"studies":[', b"{},"), (b'{"studies":[\n', b"{}\n,"), (b'{"studies":[0', b",0"), (b"[", b"[")],
    ids=["on one line", "on lines that are none", "numbers", "nested"],
)
def test_an_answer_of_millions_of_values_is_not_decoded(head: bytes, filling: bytes) -> None:
    pieces = (head if number == 0 else filling * 100_000 for number in range(40))
    with pytest.raises(RegistryError) as refused:
        parse_page(pieces, lambda _record: None)

    assert refused.value.reason is Reason.TOO_LARGE


def test_a_page_of_nothing_but_what_is_no_study_is_left_early() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield b'{"studies":[\n'
        for taken in range(100):  # noqa: B007 looked at below
            yield b"{},\n" * 500

    with pytest.raises(RegistryError):
        parse_page(pieces(), lambda _record: None)

    assert taken < 5


@pytest.mark.parametrize("size", [1, 2, 7, 1_000, 100_000])
def test_records_are_the_same_in_whatever_pieces_a_page_comes(size: int) -> None:
    page = packed_list([study(nct_id) for nct_id in IDS], token="next")
    found: list[Record] = []
    token = parse_page((page[start : start + size] for start in range(0, len(page), size)), found.append)

    assert [record.nct_id for record in found] == IDS
    assert token == "next"


@pytest.mark.parametrize("text", ["2026-03-02T09\x00", "\x1b[31m2026", "2026\n03"])
def test_a_release_with_control_characters_is_none(text: str) -> None:
    body = orjson.dumps({"apiVersion": "2.0.5", "dataTimestamp": text})
    with RawServer(lambda _head: [http_answer(body)]) as server, pytest.raises(RegistryError) as refused:
        wired(url=server.url, attempts=1).client.release()

    assert refused.value.reason is Reason.NOT_JSON


def test_a_record_whose_id_is_none_answers_for_nobody() -> None:
    odd = study("NCT0\x1b[31m", aliases=[IDS[0]])
    with RawServer(lambda _head: [http_answer(packed_list([odd, study(IDS[1])]))]) as server:
        fetched = wired(url=server.url, attempts=1).fetch(IDS[:2])

    assert list(records(fetched)) == [IDS[1]]
    assert refusals(fetched)[IDS[0]].canonical_id is None


# --- other ways to write the same -------------------------------------------------------------------------------------


def turned(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return value


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda s: orjson.dumps({"studies": s}), id="on one line"),
        pytest.param(lambda s: orjson.dumps({"studies": s}, option=orjson.OPT_INDENT_2), id="indented"),
        pytest.param(lambda s: orjson.dumps(turned({"studies": [turned(each) for each in s]})), id="turned round"),
        pytest.param(lambda s: packed_list([turned(each) for each in s]), id="each study turned round"),
        pytest.param(lambda s: packed_list(s).replace(b"\n", b"\r\n"), id="with other line ends"),
        pytest.param(lambda s: b"\xef\xbb\xbf"[:0] + b" " + packed_list(s) + b"\n", id="with white space around"),
    ],
)
def test_records_are_the_same_however_the_list_is_written(written: Any) -> None:
    studies = [study(nct_id, stamp=TUE, locations=[{"facility": 'é \\ "}'}]) for nct_id in IDS]
    with RawServer(lambda _head: [http_answer(written(studies))]) as server:
        (fetched,) = wired(url=server.url).fetch(IDS)

    assert fetched.stamps == {TUE}
    assert sorted(records([fetched])) == IDS
    for each in studies:
        nct_id = each["protocolSection"]["identificationModule"]["nctId"]
        assert compare(each, orjson.loads(records([fetched])[nct_id].body), table()) == ()


MISC = {"derivedSection": {"miscInfoModule": {"versionHolder": MON}}}


@pytest.mark.parametrize(
    ("extra", "stamps"),
    [
        pytest.param({"derivedSection": {"miscInfoModule": {"versionHolder": 20260302}}}, set(), id="a number"),
        pytest.param({"derivedSection": {"miscInfoModule": {"versionHolder": "Monday"}}}, set(), id="a word"),
        pytest.param({"derivedSection": {"miscInfoModule": {"versionHolder": f"{MON}T09:00"}}}, set(), id="too long"),
        pytest.param({"x": MISC["derivedSection"]}, {MON}, id="twice"),
        pytest.param({"derivedSection": {"miscInfoModule": "none"}}, set(), id="a module that is none"),
        pytest.param({"derivedSection": {"miscInfoModule": None}}, set(), id="none"),
    ],
)
@pytest.mark.parametrize("indented", [True, False], ids=["indented", "on one line"])
def test_a_record_with_an_odd_stamp_is_a_record(extra: Json, stamps: set[str], *, indented: bool) -> None:
    odd = study(IDS[0], stamp=MON, extra=extra)

    def fetched_as(record: Json) -> Any:
        body = orjson.dumps({"studies": [record]}, option=orjson.OPT_INDENT_2) if indented else packed_list([record])
        with RawServer(lambda _head: [http_answer(body)]) as server:
            return wired(url=server.url).fetch(IDS[:1])[0]

    (fetched, other) = fetched_as(odd), fetched_as(orjson.loads(orjson.dumps(odd).replace(MON.encode(), b"2026-03-09")))

    assert fetched.stamps == stamps
    (record,) = fetched.records
    assert compare(odd, orjson.loads(record.body), table()) == ()
    if extra.get("x") is None:
        assert other.records[0].content_hash == record.content_hash


def test_two_stamps_in_one_module_are_a_key_that_comes_twice() -> None:
    line = orjson.dumps(study(IDS[0], stamp=MON)).replace(
        b'"versionHolder":', b'"versionHolder":"2026-01-01","versionHolder":'
    )
    with RawServer(lambda _head: [http_answer(b'{"studies":[\n' + line + b"\n]}")]) as server:
        (refusal,) = refusals(wired(url=server.url, attempts=1).fetch(IDS[:1])).values()

    assert refusal.reason is Reason.NOT_JSON


@pytest.mark.parametrize("levels", [200, 300, 1_000, 3_000])
@pytest.mark.parametrize("indented", [True, False], ids=["parsed", "as bytes"])
def test_a_record_of_any_depth_is_a_record_or_a_refusal(levels: int, *, indented: bool) -> None:
    line = orjson.dumps(study(IDS[0]))[:-1] + b',"deep":' + b"[" * levels + b"]" * levels + b"}"
    body = b'{"studies":[ ' + line + b"]}" if indented else b'{"studies":[\n' + line + b"\n]}"
    with RawServer(lambda _head: [http_answer(body)]) as server:
        fetched = wired(url=server.url, attempts=1).fetch(IDS[:1])

    assert each_once(fetched) == IDS[:1]


# --- pages of HTML, and what an operator reads ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/studies", "/studies/"])
def test_a_page_in_place_of_json_is_tried_again_and_then_refused(registry: DatasetAdapter, path: str) -> None:
    if path == "/studies/":
        registry.fault("missing", nct_id=IDS[0])
    registry.fault("html", path=path, times=3)
    asker = wired(transport=registry)

    (refusal,) = refusals(asker.fetch(IDS[:1])).values()

    assert refusal.reason is Reason.NOT_JSON
    assert "<!doctype html>" in refusal.detail
    assert len(asker.waits) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
def test_nothing_invisible_reaches_the_operator(status: int) -> None:
    body = f"NCT number {IDS[0]} \x1b[31m\u202e\r\n\x00 not found".encode()
    with RawServer(lambda _head: [http_answer(body, status=status)]) as server:
        (refusal,) = refusals(wired(url=server.url, attempts=1).fetch(IDS[:1])).values()

    assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", refusal.detail)
    assert len(refusal.detail) < 300
