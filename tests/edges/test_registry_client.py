"""What the registry is asked, and what becomes of its answers: every ID in exactly one place."""

from collections.abc import Iterator
from threading import Barrier, BrokenBarrierError
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edges.raw_server import RawServer, http_answer
from tests.edges.registry_clients import (
    ALIAS,
    CANONICAL,
    IDS,
    MALFORMED,
    MON,
    TUE,
    UNKNOWN,
    WED,
    asked_for,
    dataset,
    each_once,
    known_on,
    list_of,
    packed_list,
    records,
    refusals,
    targets,
    true_body,
    unchanged,
    wired,
)
from tests.factories import study
from watcher.core.stamp import content_hash
from watcher.errors import RegistryError
from watcher.model import Json, Reason, Release
from watcher.registry.client import Caps
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.days import Dataset
from watcher.replay.faults import FaultKind
from watcher.replay.server import RegistryServer


@pytest.fixture
def registry() -> DatasetAdapter:
    return DatasetAdapter(dataset())


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer(dataset()) as running:
        yield running


# --- releases and batches ---------------------------------------------------------------------------------------------


def test_the_release_costs_one_request(server: RegistryServer) -> None:
    asker = wired(url=server.url)

    assert asker.client.release() == Release(api_version="2.0.5", data_timestamp=f"{MON}T09:00:04")
    assert targets(server) == ["/version"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="a page"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="an empty object"),
        pytest.param(b'{"apiVersion":"2.0.5"}', id="no time"),
        pytest.param(b'{"apiVersion":"2.0.5","dataTimestamp":""}', id="an empty time"),
        pytest.param(b'{"apiVersion":2,"dataTimestamp":3}', id="numbers"),
    ],
)
def test_what_is_no_release_is_not_taken_for_one(body: bytes) -> None:
    with RawServer(lambda _head: [http_answer(body)]) as server:
        asker = wired(url=server.url)
        with pytest.raises(RegistryError) as caught:
            asker.client.release()

    assert caught.value.reason is Reason.NOT_JSON
    assert len(server.heads) == 3


def test_records_are_asked_for_in_batches_over_http(server: RegistryServer) -> None:
    fetched = wired(url=server.url, batch_size=3).fetch(IDS)

    assert [asked_for(target) for target in targets(server)] == [IDS[:3], IDS[3:6], IDS[6:]]
    assert {nct_id: record.body for nct_id, record in records(fetched).items()} == {i: true_body(i) for i in IDS}
    assert [sorted(record.nct_id for record in part.records) for part in fetched] == [IDS[:3], IDS[3:6], IDS[6:]]


def test_a_batch_tells_the_day_and_the_dataset_that_it_came_from(registry: DatasetAdapter) -> None:
    (monday,) = wired(transport=registry).fetch(IDS)
    registry.day = TUE
    (tuesday,) = wired(transport=registry).fetch(IDS, known_on(MON))

    assert [set(part.stamps) for part in (monday, tuesday)] == [{MON}, {TUE}]
    assert len(monday.etags) == len(tuesday.etags) == 1
    assert monday.etags != tuesday.etags


def test_nothing_to_ask_for_is_not_asked_for(registry: DatasetAdapter) -> None:
    assert wired(transport=registry).fetch([]) == []
    assert targets(registry) == []


def test_a_record_that_differs_by_its_stamp_only_is_unchanged(registry: DatasetAdapter) -> None:
    registry.day = TUE

    fetched = wired(transport=registry).fetch(IDS, known_on(MON))

    assert sorted(unchanged(fetched)) == IDS
    assert (records(fetched), refusals(fetched)) == ({}, {})


def test_a_record_that_differs_is_given_whole(registry: DatasetAdapter) -> None:
    registry.day = WED

    fetched = wired(transport=registry).fetch(IDS, known_on(MON))

    (record,) = records(fetched).values()
    assert (record.nct_id, record.body, record.stamp) == (IDS[0], true_body(IDS[0], WED), WED)
    assert record.content_hash == content_hash(record.body)
    assert sorted(unchanged(fetched)) == IDS[1:]


@pytest.mark.parametrize("connections", [1, 2])
def test_no_more_requests_are_under_way_than_there_may_be(connections: int) -> None:
    both = Barrier(2)

    def answer(head: str) -> list[bytes]:
        ids = asked_for(head.split(" ")[1])
        if connections == 2 and ids != IDS[6:7]:  # of seven batches the last is alone
            both.wait(10)
        return [http_answer(list_of(*ids))]

    with RawServer(answer) as server:
        try:
            fetched = wired(url=server.url, batch_size=1, connections=connections).fetch(IDS)
        except BrokenBarrierError:
            pytest.fail("the requests were not under way together")

    assert server.most_at_once == connections
    assert sorted(records(fetched)) == IDS


# --- every ID in exactly one place ------------------------------------------------------------------------------------

faults = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(sorted(set(FaultKind) - {FaultKind.SLOW})),  # which needs a real connection
        "times": st.integers(1, 4),
        "path": st.sampled_from(["/", "/studies", "/studies/"]),
        "nct_id": st.sampled_from(IDS),
        "size": st.just(200_000),
    },
    optional={"after": st.integers(0, 900), "length_told": st.booleans()},
)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.sampled_from([*IDS, ALIAS, UNKNOWN, MALFORMED]), unique=True),
    st.sets(st.sampled_from(IDS)),
    st.lists(faults, max_size=4),
    st.integers(1, 5),
    st.sampled_from([1, 2]),
)
def test_every_id_has_exactly_one_fate_whatever_the_registry_does(
    asked: list[str], known: set[str], trouble: list[dict[str, Any]], batch_size: int, connections: int
) -> None:
    registry = DatasetAdapter(dataset(), start_day=TUE)
    for fault in trouble:
        registry.fault(**fault)
    asker = wired(
        transport=registry,
        batch_size=batch_size,
        connections=connections,
        attempts=2,
        caps=Caps(batch=100_000, record=100_000),
    )

    fetched = asker.fetch(asked, {nct_id: known_on(MON)[nct_id] for nct_id in known})

    assert each_once(fetched) == sorted(asked)
    assert all(record.body == true_body(nct_id) for nct_id, record in records(fetched).items())
    assert set(unchanged(fetched)) <= known
    assert set(records(fetched)).isdisjoint(known)
    if not trouble:
        expected = {UNKNOWN: Reason.NOT_FOUND, ALIAS: Reason.ALIASED, MALFORMED: Reason.MALFORMED_ID}
        assert {i: r.reason for i, r in refusals(fetched).items()} == {i: expected[i] for i in asked if i in expected}


def test_a_record_that_its_list_lacks_is_asked_for_alone(registry: DatasetAdapter) -> None:
    registry.fault("missing", nct_id=IDS[2])

    fetched = wired(transport=registry).fetch(IDS)

    assert sorted(records(fetched)) == IDS
    assert [asked_for(target) for target in targets(registry)] == [IDS, [IDS[2]]]


def test_a_record_that_its_list_lacks_may_be_unchanged(registry: DatasetAdapter) -> None:
    registry.fault("missing", nct_id=IDS[2])

    assert sorted(unchanged(wired(transport=registry).fetch(IDS, known_on(MON)))) == IDS


def test_a_record_that_is_not_there_is_refused_in_the_registrys_words(registry: DatasetAdapter) -> None:
    (refusal,) = refusals(wired(transport=registry).fetch([UNKNOWN])).values()

    assert (refusal.reason, refusal.detail) == (Reason.NOT_FOUND, f"NCT number {UNKNOWN} not found")


@pytest.mark.parametrize("body", [b"", b"<html>404</html>", b"not found"])
def test_a_page_that_is_not_there_says_nothing_about_the_record(body: bytes) -> None:
    def answer(head: str) -> list[bytes]:
        return [http_answer(list_of()) if "filter.ids" in head else http_answer(body, status=404)]

    with RawServer(answer) as server:
        (refusal,) = refusals(wired(url=server.url).fetch(IDS[:1])).values()

    assert refusal.reason is Reason.MISSING
    assert "base_url" in refusal.detail


# --- obsolete IDs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [[ALIAS], [ALIAS, IDS[0]]], ids=["alone", "among others"])
def test_a_list_that_answers_with_another_record_tells_the_alias(registry: DatasetAdapter, asked: list[str]) -> None:
    fetched = wired(transport=registry).fetch(asked)

    refusal = refusals(fetched)[ALIAS]
    assert (refusal.reason, refusal.canonical_id) == (Reason.ALIASED, CANONICAL)
    assert len(targets(registry)) == 1


def test_a_redirect_to_another_record_tells_the_alias(registry: DatasetAdapter) -> None:
    fetched = wired(transport=registry).fetch([ALIAS, CANONICAL])

    refusal = refusals(fetched)[ALIAS]
    assert (refusal.reason, refusal.canonical_id) == (Reason.ALIASED, CANONICAL)
    assert [asked.status for asked in registry.requests] == [200, 301]
    assert list(records(fetched)) == [CANONICAL]


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("https://registry.example/", id="to the front page"),
        pytest.param("/api/v2/studies", id="to the list"),
        pytest.param(f"/api/v2/studies/{IDS[0]}", id="to itself"),
        pytest.param("/api/v2/studies/NCT0000000", id="to an ID that is none"),
        pytest.param(f"https://portal.example/login/{IDS[1]}", id="to a page that ends like a record"),
        pytest.param("", id="to nowhere"),
    ],
)
def test_a_redirect_to_anything_else_says_nothing_about_the_record(location: str) -> None:
    def answer(head: str) -> list[bytes]:
        return [http_answer(list_of()) if "filter.ids" in head else http_answer(status=301, Location=location)]

    with RawServer(answer) as server:
        (refusal,) = refusals(wired(url=server.url).fetch(IDS[:1])).values()

    assert (refusal.reason, refusal.canonical_id) == (Reason.MISSING, None)
    assert len(server.heads) == 2


def test_a_record_that_is_withheld_is_a_record_and_named_apart() -> None:
    listed = packed_list([study(IDS[0], status="WITHHELD"), study(IDS[1])])
    with RawServer(lambda _head: [http_answer(listed)]) as server:
        (fetched,) = wired(url=server.url).fetch(IDS[:2])

    assert sorted(records([fetched])) == IDS[:2]
    assert fetched.withheld == {IDS[0]}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_list_that_has_moved_is_an_error_that_names_the_setting(status: int) -> None:
    with RawServer(lambda _head: [http_answer(status=status, Location="https://registry.example/")]) as server:
        (refusal,) = refusals(wired(url=server.url).fetch(IDS[:1])).values()

    assert refusal.reason is Reason.SERVER_ERROR
    assert "base_url" in refusal.detail
    assert len(server.heads) == 1


@pytest.mark.parametrize("order", [[0, 1], [1, 0]], ids=["itself first", "the other first"])
def test_a_record_that_is_there_is_no_alias_of_another_in_its_list(order: list[int]) -> None:
    both = [study(IDS[0]), study(IDS[1], aliases=[IDS[0]])]
    with RawServer(lambda _head: [http_answer(packed_list([both[place] for place in order]))]) as server:
        fetched = wired(url=server.url).fetch(IDS[:1])

    assert (list(records(fetched)), refusals(fetched)) == (IDS[:1], {})


# --- IDs and records that spoil a list --------------------------------------------------------------------------------


def test_an_id_that_the_registry_does_not_take_does_not_cost_the_others(registry: DatasetAdapter) -> None:
    fetched = wired(transport=registry).fetch([*IDS[:3], MALFORMED])

    assert sorted(records(fetched)) == IDS[:3]
    assert refusals(fetched)[MALFORMED].reason is Reason.MALFORMED_ID
    assert [len(asked_for(target)) for target in targets(registry)] == [4, 1, 1, 1, 1]


def test_a_list_that_is_too_large_is_asked_for_in_halves() -> None:
    large = study(IDS[3], extra={"protocolSection": {"descriptionModule": {"detailedDescription": "x" * 5_000}}})
    registry = DatasetAdapter(Dataset.of({MON: [*(study(nct_id) for nct_id in IDS[:3]), large]}))
    caps = Caps(batch=4_500, record=10_000)

    fetched = wired(transport=registry, caps=caps).fetch(IDS[:4])

    assert sorted(records(fetched)) == IDS[:4]
    lists = [asked_for(target) for target in targets(registry)]
    assert lists == [IDS[:4], IDS[:2], IDS[2:4], IDS[2:3], IDS[3:4], IDS[3:4]]


def test_a_record_that_is_too_large_is_refused_alone() -> None:
    registry = DatasetAdapter(dataset())

    fetched = wired(transport=registry, caps=Caps(batch=4_500, record=100)).fetch(IDS[:2])
    assert (sorted(records(fetched)), refusals(fetched)) == (IDS[:2], {})

    fetched = wired(transport=registry, caps=Caps(batch=100, record=100)).fetch(IDS[:2])
    assert {refusal.reason for refusal in refusals(fetched).values()} == {Reason.TOO_LARGE}


def test_a_study_that_says_nothing_of_itself_costs_only_itself() -> None:
    nameless = study(IDS[0])
    del nameless["protocolSection"]["identificationModule"]["nctId"]

    def answer(head: str) -> list[bytes]:
        listed = packed_list([nameless, study(IDS[1]), 7, None])
        return [http_answer(listed if "filter.ids" in head else orjson.dumps(nameless))]

    with RawServer(answer) as server:
        fetched = wired(url=server.url, attempts=1).fetch(IDS[:2])

    assert list(records(fetched)) == [IDS[1]]
    assert refusals(fetched)[IDS[0]].reason is Reason.NO_RECORD


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        pytest.param({"protocolSection": {"statusModule": None}}, Reason.NO_RECORD, id="no status module"),
        pytest.param({"protocolSection": {"statusModule": {"overallStatus": 7}}}, Reason.NO_RECORD, id="no status"),
    ],
)
def test_a_study_without_what_every_record_has_is_refused(odd: Json, reason: Reason) -> None:
    registry = DatasetAdapter(Dataset.of({MON: [study(IDS[0], extra=odd), study(IDS[1])]}))

    fetched = wired(transport=registry).fetch(IDS[:2])

    assert list(records(fetched)) == [IDS[1]]
    assert refusals(fetched)[IDS[0]].reason is reason


def test_another_record_than_the_one_asked_for_is_refused_and_not_kept(registry: DatasetAdapter) -> None:
    registry.fault("missing", nct_id=IDS[0])
    registry.fault("wrong_record", nct_id=IDS[0])

    fetched = wired(transport=registry).fetch([IDS[0], IDS[3]])

    assert list(records(fetched)) == [IDS[3]]
    assert refusals(fetched)[IDS[0]].reason is Reason.WRONG_RECORD


def test_records_that_nobody_asked_for_are_not_given() -> None:
    with RawServer(lambda _head: [http_answer(list_of(*IDS))]) as server:
        assert list(records(wired(url=server.url).fetch(IDS[4:5]))) == [IDS[4]]


# --- lists of several pages -------------------------------------------------------------------------------------------


def pages(*listed: tuple[list[Json], str | None]) -> Any:
    def answer(head: str) -> list[bytes]:
        token = parse_qs(urlsplit(head.split(" ")[1]).query).get("pageToken", ["0"])[0]
        studies, following = listed[int(token) % len(listed)]
        return [http_answer(packed_list(studies, token=following))]

    return answer


def test_a_list_is_read_to_its_last_page_through_empty_ones() -> None:
    with RawServer(pages(([study(IDS[0])], "1"), ([], "2"), ([study(IDS[1])], None))) as server:
        assert sorted(records(wired(url=server.url).fetch(IDS[:2]))) == IDS[:2]

    assert len(server.heads) == 3
    assert all("filter.ids=" in head and "sort=" in head for head in server.heads)


def test_pages_without_an_end_are_left() -> None:
    with RawServer(pages(([], "0"))) as server:
        fetched = wired(url=server.url, attempts=1).fetch(IDS[:3])

    assert each_once(fetched) == IDS[:3]
    assert len(server.heads) < 10


@pytest.mark.parametrize("one_page", [True, False], ids=["on one page", "on two pages"])
@pytest.mark.parametrize("known", [True, False], ids=["a known record", "a new record"])
def test_of_a_record_that_its_list_gives_in_two_forms_its_own_answer_is_taken(*, one_page: bool, known: bool) -> None:
    old, new = study(IDS[0]), study(IDS[0], status="COMPLETED")
    others = study(IDS[0], title="What another trial is called")
    listed = pages(([old, others], None)) if one_page else pages(([old], "1"), ([others], None))

    def answer(head: str) -> Any:
        return listed(head) if "filter.ids" in head else [http_answer(orjson.dumps(new))]

    with RawServer(answer) as server:
        fetched = wired(url=server.url).fetch(IDS[:1], known_on(MON) if known else {})

    assert [
        orjson.loads(record.body)["protocolSection"]["statusModule"]["overallStatus"]
        for record in records(fetched).values()
    ] == ["COMPLETED"]
    assert each_once(fetched) == IDS[:1]


def test_a_record_in_two_forms_whose_own_answer_does_not_come_is_refused() -> None:
    def answer(head: str) -> Any:
        both = [study(IDS[0]), study(IDS[0], status="COMPLETED")]
        return [http_answer(packed_list(both)) if "filter.ids" in head else http_answer(b"", status=503)]

    with RawServer(answer) as server:
        (refusal,) = refusals(wired(url=server.url, attempts=1).fetch(IDS[:1], known_on(MON))).values()

    assert refusal.reason is Reason.MISSING
    assert "in two forms" in refusal.detail


@pytest.mark.parametrize(
    "words", [f"NCT number {UNKNOWN} not found", "NCT number not found", f"NCT number {IDS[0]}1 not found"]
)
def test_what_is_said_of_another_record_does_not_make_this_one_gone(words: str) -> None:
    def answer(head: str) -> Any:
        return [http_answer(packed_list([])) if "filter.ids" in head else http_answer(words.encode(), status=404)]

    with RawServer(answer) as server:
        (refusal,) = refusals(wired(url=server.url, attempts=1).fetch(IDS[:1])).values()

    assert not refusal.reason.about_the_record
