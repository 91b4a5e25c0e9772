"""What a dataset day answers to a request, byte for byte where the contract of the API is known."""

import gzip
from collections.abc import Iterable

import orjson
import pytest

from tests.factories import Json, study
from watcher.replay.answers import Answer, answer
from watcher.replay.days import Dataset, Day

DAY = "2026-03-02"
IDS = [f"NCT{number:08}" for number in range(1, 31)]
ONE, TWO, THREE = IDS[:3]
OBSOLETE = "NCT00000099"


def day_of(*records: Json) -> Day:
    return Dataset.of({DAY: records}).on(DAY)


@pytest.fixture(scope="module")
def day() -> Day:
    """Thirty records; the first three differ, and the second has an obsolete ID."""
    special = [
        study(ONE, updated="2026-02-10", enrollment=5, start="2025-11"),
        study(TWO, updated="2026-02-20", enrollment=None, aliases=[OBSOLETE]),
        study(THREE, updated="2026-02-15", enrollment=300, start="2025-11-15"),
    ]
    return day_of(*special, *(study(nct_id) for nct_id in IDS[3:]))


def get(day: Day, target: str, *, call: int = 0, **headers: str) -> Answer:
    return answer(day, target, {name.replace("_", "-"): value for name, value in headers.items()}, call=call)


def ids_in(reply: Answer) -> list[str]:
    studies = orjson.loads(reply.body)["studies"]
    return [study["protocolSection"]["identificationModule"]["nctId"] for study in studies]


# --- /version ---------------------------------------------------------------------------------------------------------


def test_the_version_is_pretty_printed(day: Day) -> None:
    reply = get(day, "/version")

    assert reply.body == b'{\n  "apiVersion": "2.0.5",\n  "dataTimestamp": "2026-03-02T09:00:04"\n}'
    assert reply.headers["Content-Type"] == "application/json"


# --- /studies ---------------------------------------------------------------------------------------------------------


def test_a_list_has_one_compact_study_a_line(day: Day) -> None:
    reply = get(day, f"/studies?filter.ids={ONE},{TWO}&countTotal=true&sort=LastUpdatePostDate")

    assert reply.status == 200
    assert reply.body == b'{"totalCount":2,"studies":[\n' + day[TWO] + b",\n" + day[ONE] + b"\n]}"


def test_a_list_of_nothing_keeps_its_empty_line(day: Day) -> None:
    assert get(day, "/studies?filter.ids=NCT12345678").body == b'{"studies":[\n\n]}'
    assert get(day, "/studies?filter.ids=NCT12345678&countTotal=true").body == b'{"totalCount":0,"studies":[\n\n]}'


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        pytest.param(f"{ONE},{THREE}", {ONE, THREE}, id="commas"),
        pytest.param(f"{ONE}%7C{THREE}", {ONE, THREE}, id="pipes"),
        pytest.param("nct00000001,Nct3", {ONE, THREE}, id="small letters and short numbers"),
        pytest.param(OBSOLETE, {TWO}, id="an alias finds its record"),
        pytest.param(f"{OBSOLETE},{TWO},{TWO}", {TWO}, id="a record comes once"),
        pytest.param(f"{ONE},NCT99999999", {ONE}, id="an unknown ID is silently absent"),
    ],
)
def test_ids_are_searched_among_ids_and_aliases(day: Day, ids: str, found: set[str]) -> None:
    reply = ids_in(get(day, f"/studies?filter.ids={ids}"))

    assert (set(reply), len(reply)) == (found, len(found))


@pytest.mark.parametrize(
    ("size", "studies"),
    [
        pytest.param("", 10, id="default"),
        pytest.param("pageSize=0", 10, id="zero is the default"),
        pytest.param("pageSize=3", 3, id="asked for"),
        pytest.param("pageSize=5000", 30, id="more than the maximum"),
    ],
)
def test_a_page_has_the_size_that_was_asked_for(day: Day, size: str, studies: int) -> None:
    reply = get(day, f"/studies?{size}")

    assert len(ids_in(reply)) == studies
    assert ("nextPageToken" in orjson.loads(reply.body)) == (studies < 30)


def test_a_page_of_more_than_a_thousand_is_silently_cut() -> None:
    crowd = day_of(*(study(f"NCT{number:08}") for number in range(1, 1102)))

    assert get(crowd, "/studies?pageSize=5000").body.count(b'"nctId"') == 1000


def walk(day: Day, query: str) -> Iterable[dict[str, Json]]:
    token = ""
    for call in range(10):
        page = orjson.loads(get(day, f"/studies?{query}{token}", call=call).body)
        yield page
        if "nextPageToken" not in page:
            return
        token = f"&pageToken={page['nextPageToken']}"


def test_a_sorted_list_can_be_paged_through_without_loss() -> None:
    crowd = day_of(*(study(nct_id) for nct_id in IDS))  # all alike: what does not differ keeps its order as well

    pages = list(walk(crowd, "sort=LastUpdatePostDate&pageSize=10&countTotal=true"))
    found = [s["protocolSection"]["identificationModule"]["nctId"] for page in pages for s in page["studies"]]

    assert sorted(found) == IDS
    assert ["totalCount" in page for page in pages] == [True, False, False]


def test_a_token_means_its_offset_in_whatever_query(day: Day) -> None:
    token = orjson.loads(get(day, "/studies?pageSize=2&sort=StartDate").body)["nextPageToken"]

    assert len(ids_in(get(day, f"/studies?filter.ids={ONE},{TWO},{THREE}&pageToken={token}"))) == 1


def test_without_sort_the_order_is_no_order_and_differs_between_calls(day: Day) -> None:
    orders = [ids_in(get(day, "/studies?pageSize=30", call=call)) for call in range(3)]

    assert all(sorted(order) == IDS != order for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert orders[0] == ids_in(get(day, "/studies?pageSize=30", call=0))


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        pytest.param("LastUpdatePostDate", [TWO, THREE, ONE], id="dates: the latest first"),
        pytest.param("LastUpdatePostDate:asc", [ONE, THREE, TWO], id="dates, the other way"),
        pytest.param("EnrollmentCount", [ONE, THREE, TWO], id="numbers: the least first, missing last"),
        pytest.param("EnrollmentCount:desc", [THREE, ONE, TWO], id="numbers, the other way: missing still last"),
        pytest.param("StudyFirstPostDate,EnrollmentCount:desc", [THREE, ONE, TWO], id="ties by the second"),
        pytest.param("protocolSection.statusModule.startDateStruct.date", [TWO, THREE, ONE], id="a path"),
    ],
)
def test_a_list_is_sorted_as_asked(day: Day, sort: str, order: list[str]) -> None:
    assert ids_in(get(day, f"/studies?filter.ids={ONE},{TWO},{THREE}&sort={sort}")) == order


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        pytest.param("/studies/ABC123", 400, "Parameter `nctId` has incorrect format", id="an ID of letters"),
        pytest.param("/studies/NCT00000000", 400, "Parameter `nctId` has incorrect format", id="zero"),
        pytest.param("/studies/NCT%EF%BC%91", 400, "Parameter `nctId` has incorrect format", id="a full-width digit"),
        pytest.param("/studies/NCT99999999", 404, "NCT number NCT99999999 not found", id="unknown"),
        pytest.param(
            "/studies?filter.ids=ABC123", 400, "Item 1 in parameter `filter.ids` has incorrect format", id="ids"
        ),
        pytest.param(
            "/studies?filter.ids=NCT1,,NCT2",
            400,
            "Item 2 in parameter `filter.ids` has incorrect format",
            id="an empty one among ids",
        ),
        pytest.param("/studies?bogusParam=1", 400, "`bogusParam` is unknown parameter", id="unknown parameter"),
        pytest.param("/studies/NCT1?bogus=1", 400, "`bogus` is unknown parameter", id="unknown parameter of a study"),
        pytest.param("/version?x", 400, "`x` is unknown parameter", id="unknown parameter of the version"),
        pytest.param("/studies?sort=BriefTitle", 400, "Unsupported sort field type: text", id="sort by a text"),
        pytest.param("/studies?sort=NCTId", 400, "Unsupported sort field type: nct", id="sort by the ID"),
        pytest.param("/studies?sort=A,B,C", 400, "Parameter `sort` has too many items: the maximum is 2", id="3 sorts"),
        pytest.param("/studies?pageSize=-1", 400, "Parameter `pageSize` has incorrect format", id="negative size"),
        pytest.param("/studies?pageSize=ten", 400, "Parameter `pageSize` has incorrect format", id="size in words"),
        pytest.param("/studies?pageToken=%C3%A9", 400, "Parameter `pageToken` has incorrect format", id="token"),
        pytest.param("/studies?countTotal=1", 400, "Parameter `countTotal` has incorrect format", id="boolean"),
        pytest.param(
            "/studies?fields=StudyDesign",
            400,
            "Parameter 'fields' contains invalid field name: 'StudyDesign'",
            id="unknown field",
        ),
        pytest.param("/studies?fields=", 400, "Item 1 in parameter `fields` has incorrect format", id="no field"),
        pytest.param("/studies?format=xml", 400, "Invalid value in parameter `format`: `xml`", id="unknown format"),
    ],
)
def test_a_bad_request_is_refused_in_the_words_of_the_registry(day: Day, target: str, status: int, text: str) -> None:
    reply = get(day, target, Accept_Encoding="gzip")

    assert (reply.status, reply.body.decode()) == (status, text)
    assert reply.headers["Content-Type"] == "text/plain; charset=UTF-8"


@pytest.mark.parametrize(
    "target",
    [
        "/studies?query.cond=cancer",
        "/studies?filter.advanced=AREA[Phase]PHASE3",
        "/studies?filter.overallStatus=RECRUITING",
        "/studies?aggFilters=results:with",
        "/studies?format=csv",
        "/studies?markupFormat=legacy",
        "/studies?sort=@relevance",
        "/studies?fields=@query",
        "/studies?filter.ids=NCT1&filter.ids=NCT2",
        "/studies/metadata",
        "/stats/size",
    ],
)
def test_what_is_documented_and_not_served_is_refused_and_never_ignored(day: Day, target: str) -> None:
    reply = get(day, target)

    assert reply.status == 501
    assert "is not served by this replay" in reply.body.decode()


def test_the_usual_formats_are_taken(day: Day) -> None:
    assert get(day, f"/studies/{ONE}?format=json&markupFormat=markdown").body == day[ONE]


# --- /studies/{nctId} -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [ONE, "nct00000001", "NCT1", "NCT000000000001"])
def test_a_study_is_one_compact_object_by_any_spelling_of_its_id(day: Day, text: str) -> None:
    reply = get(day, f"/studies/{text}")

    assert (reply.status, reply.body) == (200, day[ONE])


def test_an_alias_is_redirected_and_the_query_dropped(day: Day) -> None:
    reply = get(day, f"/studies/{OBSOLETE}?fields=NCTId")

    assert (reply.status, reply.body) == (301, b"")
    assert reply.headers["Location"] == f"/api/v2/studies/{TWO}"


@pytest.mark.parametrize("target", ["/", "/studies/", "/studies/NCT1/history", "/statistics", "/version/"])
def test_a_wrong_path_is_a_page_and_not_the_api(day: Day, target: str) -> None:
    reply = get(day, target)

    assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        pytest.param("NCTId", {"protocolSection": {"identificationModule": {"nctId": ONE}}}, id="a piece"),
        pytest.param(
            "HasResults|protocolSection.statusModule.lastUpdatePostDateStruct.date",
            {
                "protocolSection": {"statusModule": {"lastUpdatePostDateStruct": {"date": "2026-02-10"}}},
                "hasResults": False,
            },
            id="a path and a piece with a pipe",
        ),
        pytest.param(
            "LastUpdatePostDateStruct,LastUpdatePostDate",
            {
                "protocolSection": {
                    "statusModule": {"lastUpdatePostDateStruct": {"date": "2026-02-10", "type": "ACTUAL"}}
                }
            },
            id="a branch takes in all below it",
        ),
        pytest.param("WhyStopped", {"protocolSection": {"statusModule": {}}}, id="a missing leaf leaves its parents"),
        pytest.param(
            "LocationCity",
            {"protocolSection": {"contactsLocationsModule": {"locations": [{"city": "Bern"}, {}]}}},
            id="through a list",
        ),
        pytest.param("ResultsSection", {}, id="a missing section"),
    ],
)
def test_a_study_is_cut_down_to_the_fields_asked_for(fields: str, expected: Json) -> None:
    places = [{"facility": "Example Hospital", "city": "Bern"}, {"facility": "Example Clinic"}]
    day = day_of(study(ONE, updated="2026-02-10", locations=places))

    single = get(day, f"/studies/{ONE}?fields={fields}")
    listed = get(day, f"/studies?fields={fields}")

    assert orjson.loads(single.body) == expected
    assert listed.body == b'{"studies":[\n' + single.body + b"\n]}"


# --- headers ----------------------------------------------------------------------------------------------------------


def test_one_etag_stands_for_the_whole_dataset() -> None:
    dataset = Dataset.of({DAY: [study(ONE), study(TWO)], "2026-03-03": []})
    today, tomorrow = dataset.on(DAY), dataset.on("2026-03-03")
    targets = ["/version", "/studies", f"/studies/{ONE}", f"/studies/{TWO}"]

    [etag] = {get(today, target).headers["ETag"] for target in targets}

    assert [get(today, target, If_None_Match=etag).status for target in targets] == [304] * 4
    assert get(today, "/version", if_none_match=f'"other", W/{etag}').body == b""
    assert get(tomorrow, "/version", If_None_Match=etag).status == 200
    assert get(today, "/studies/NCT99999999", If_None_Match=etag).status == 404


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        pytest.param("gzip, deflate", True, id="among others"),
        pytest.param("br;q=1, GZIP ; q=0.5", True, id="with a weight"),
        pytest.param("gzip;q=0", False, id="with the weight of a refusal"),
        pytest.param("identity", False, id="not at all"),
    ],
)
def test_a_body_is_packed_when_the_client_takes_it(day: Day, accepted: str, *, packed: bool) -> None:
    reply = get(day, f"/studies/{ONE}", Accept_Encoding=accepted)

    assert (reply.headers.get("Content-Encoding") == "gzip") is packed
    assert (gzip.decompress(reply.body) if packed else reply.body) == day[ONE]
    assert reply.headers["Content-Length"] == str(len(reply.body))


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 403), ("POST", 405), ("DELETE", 405), ("HEAD", 200)])
def test_the_api_is_only_read(day: Day, method: str, status: int) -> None:
    assert answer(day, "/version", {}, method=method).status == status
