"""One contract for both ways to ask a replay, over HTTP and in the same process; then what each has alone."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from tests.factories import study
from watcher.replay.adapter import DatasetAdapter
from watcher.replay.days import Dataset, DatasetError
from watcher.replay.server import RegistryServer

ONE, TWO, OBSOLETE = "NCT00000001", "NCT00000002", "NCT00000099"
MON, TUE, WED = "2026-03-02", "2026-03-03", "2026-03-04"
TIMEOUT = 10  # seconds; no test waits for it unless it fails


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    monday = [study(ONE), study(TWO, aliases=[OBSOLETE])]
    return Dataset.of({MON: monday, TUE: [study(ONE, status="COMPLETED")], WED: []})


@pytest.fixture
def server(dataset: Dataset) -> Iterator[RegistryServer]:
    with RegistryServer(dataset) as running:
        yield running


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as client:
        client.trust_env = False
        yield client


class Registry:
    """Either kind of replay, asked with requests."""

    def __init__(self, replay: RegistryServer | DatasetAdapter, session: requests.Session, *, base: str) -> None:
        self.replay = replay
        self._session = session
        self._base = base

    def get(self, target: str, *, method: str = "GET", **options: Any) -> requests.Response:
        options = {"timeout": TIMEOUT, "allow_redirects": False, **options}
        return self._session.request(method, f"{self._base}{target}", **options)


@pytest.fixture(params=["over HTTP", "in process"])
def registry(request: pytest.FixtureRequest, dataset: Dataset, session: requests.Session) -> Registry:
    if request.param == "over HTTP":
        server: RegistryServer = request.getfixturevalue("server")
        return Registry(server, session, base=server.url)
    adapter = DatasetAdapter(dataset)
    session.mount("https://", adapter)
    return Registry(adapter, session, base="https://registry.example/api/v2")


# --- the contract -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        pytest.param("GET", "/version", {}, id="version"),
        pytest.param("GET", f"/studies?filter.ids={ONE},{TWO}&sort=LastUpdatePostDate", {}, id="list"),
        pytest.param("GET", f"/studies/{ONE}?fields=NCTId|BriefTitle", {}, id="study"),
        pytest.param("GET", f"/studies/{ONE}", {"Accept-Encoding": "identity"}, id="unpacked"),
        pytest.param("GET", f"/studies/{OBSOLETE}", {}, id="alias"),
        pytest.param("GET", "/studies/NCT99999999", {}, id="unknown study"),
        pytest.param("GET", "/studies?bogus=1", {}, id="bad request"),
        pytest.param("GET", "/nowhere", {}, id="wrong path"),
        pytest.param("GET", "/version", {"If-None-Match": '"2026-03-02T09:00:04"'}, id="not modified"),
        pytest.param("HEAD", f"/studies/{ONE}", {}, id="head"),
        pytest.param("OPTIONS", "/studies", {}, id="preflight"),
        pytest.param("POST", "/studies", {}, id="post"),
    ],
)
def test_both_ways_answer_the_same_bytes_status_and_headers(
    dataset: Dataset, server: RegistryServer, session: requests.Session, method: str, target: str, headers: Any
) -> None:
    session.mount("https://", DatasetAdapter(dataset))
    bases = (server.url, "https://registry.example/api/v2")
    options: Any = {"headers": headers, "timeout": TIMEOUT, "allow_redirects": False}

    over_http, in_process = (session.request(method, f"{base}{target}", **options) for base in bases)

    assert over_http.status_code == in_process.status_code
    assert over_http.reason == in_process.reason
    assert over_http.content == in_process.content
    assert over_http.encoding == in_process.encoding
    assert {**over_http.headers, "Date": ""} == {**in_process.headers, "Date": ""}


def test_the_raw_body_is_what_was_sent_and_can_be_unpacked_on_the_way(registry: Registry) -> None:
    with registry.get(f"/studies/{ONE}", stream=True) as packed, registry.get(f"/studies/{ONE}", stream=True) as plain:
        bytes_sent = packed.raw.read(decode_content=False)
        unpacked = b"".join(plain.raw.stream(64, decode_content=True))

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(bytes_sent) == unpacked
    assert json.loads(unpacked)["protocolSection"]["identificationModule"]["nctId"] == ONE


def test_an_alias_can_be_followed(registry: Registry) -> None:
    response = registry.get(f"/studies/{OBSOLETE}?format=json", allow_redirects=True)

    assert [step.status_code for step in response.history] == [301]
    assert response.url.endswith(f"/api/v2/studies/{TWO}")
    assert response.json()["protocolSection"]["identificationModule"]["nctIdAliases"] == [OBSOLETE]


def test_what_was_asked_is_remembered(registry: Registry) -> None:
    registry.get("/version")
    registry.get("/studies/NCT99999999?format=json")

    assert registry.replay.requests == (
        ("GET", "/api/v2/version", 200),
        ("GET", "/api/v2/studies/NCT99999999?format=json", 404),
    )


def test_the_registry_moves_day_by_day_and_stops_at_the_last(registry: Registry) -> None:
    seen = [registry.get("/version").json()["dataTimestamp"]]
    for _ in range(2):
        registry.replay.advance()
        seen.append(registry.get("/version").json()["dataTimestamp"])

    assert seen == [f"{day}T09:00:04" for day in (MON, TUE, WED)]
    assert registry.get(f"/studies/{ONE}").json()["protocolSection"]["statusModule"]["overallStatus"] == "COMPLETED"
    with pytest.raises(DatasetError, match="2026-03-04 is the last day"):
        registry.replay.advance()


# --- faults that both play --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "details", "status", "content_type"),
    [
        pytest.param("forbidden", {}, 403, "text/html; charset=UTF-8", id="forbidden"),
        pytest.param("rate_limited", {}, 429, "text/plain; charset=UTF-8", id="rate limited"),
        pytest.param("server_error", {"status": 502}, 502, "text/plain; charset=UTF-8", id="server error"),
        pytest.param("html", {}, 200, "text/html; charset=UTF-8", id="a page instead of JSON"),
    ],
)
def test_a_fault_hits_as_often_as_told(
    registry: Registry, kind: str, details: Any, status: int, content_type: str
) -> None:
    registry.replay.fault(kind, times=2, **details)

    answers = [registry.get("/version") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].headers["Content-Type"] == content_type


def test_a_fault_that_stays_stays_until_it_is_cleared(registry: Registry) -> None:
    registry.replay.fault("server_error", times=None)
    during = [registry.get("/version").status_code for _ in range(3)]
    registry.replay.clear_faults()

    assert during == [503, 503, 503]
    assert registry.get("/version").status_code == 200


def test_a_fault_hits_only_the_requests_it_is_meant_for(registry: Registry) -> None:
    registry.replay.fault("server_error", path="/studies", nct_id=ONE)
    targets = ["/version", f"/studies/{TWO}", f"/studies?filter.ids={TWO},{ONE.lower()}", f"/studies/{ONE}"]

    assert [registry.get(target).status_code for target in targets] == [200, 200, 503, 200]


@pytest.mark.parametrize("wait", [None, timedelta(minutes=2)], ids=["without a time", "with a time"])
def test_a_rate_limit_may_name_a_time(registry: Registry, wait: timedelta | None) -> None:
    registry.replay.fault("rate_limited", retry_after=wait)

    assert registry.get("/version").headers.get("Retry-After") == (None if wait is None else "120")


def test_a_missing_record_is_left_out_of_lists_and_of_nothing_else(registry: Registry) -> None:
    registry.replay.fault("missing", nct_id=ONE, times=None)

    listed = registry.get(f"/studies?filter.ids={ONE},{TWO}&countTotal=true").json()
    everything = registry.get("/studies?countTotal=true").json()

    assert (listed["totalCount"], everything["totalCount"]) == (1, 1)
    assert registry.get(f"/studies/{ONE}").status_code == 200


def test_a_wrong_record_answers_a_single_request(registry: Registry) -> None:
    registry.replay.fault("wrong_record", nct_id=ONE)
    answers = [registry.get(f"/studies/{ONE}").json() for _ in range(2)]

    assert [a["protocolSection"]["identificationModule"]["nctId"] for a in answers] == [TWO, ONE]


def test_a_huge_body_is_small_on_the_way(registry: Registry) -> None:
    size = 20_000_000
    registry.replay.fault("huge", size=size)

    with registry.get("/studies", stream=True) as response:
        length = int(response.headers["Content-Length"])
        inflated = sum(len(piece) for piece in response.raw.stream(1 << 20, decode_content=True))

    assert length < size / 500
    assert inflated > size


def test_a_cut_body_is_noticed_when_its_length_was_told(registry: Registry) -> None:
    registry.replay.fault("cut", after=20)

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        registry.get(f"/studies/{ONE}")


def test_cut_headers_are_taken_for_an_empty_body(registry: Registry) -> None:
    registry.replay.fault("cut_headers")

    response = registry.get(f"/studies/{ONE}")

    assert (response.status_code, response.content) == (200, b"")
    assert "Content-Length" not in response.headers


def test_a_body_cut_without_a_length_looks_whole(registry: Registry) -> None:
    registry.replay.fault("cut", after=20, length_told=False)

    response = registry.get(f"/studies/{ONE}", headers={"Accept-Encoding": "identity"})

    assert response.text == '{"protocolSection":{'


def test_a_registry_that_hangs_runs_into_the_time_out(registry: Registry) -> None:
    registry.replay.fault("hang")

    with pytest.raises(requests.ReadTimeout):
        registry.get("/version", timeout=0.05)
    assert registry.replay.requests == (("GET", "/api/v2/version", 0),)


@pytest.mark.parametrize(
    ("kind", "details", "complaint"),
    [
        pytest.param("missing", {}, "needs nct_id", id="nothing to leave out"),
        pytest.param("cut", {"times": 0}, "times is 0; it has to be 1 or more", id="no times"),
        pytest.param("html", {"path": "studies"}, "path is 'studies'; it has to begin with \"/\"", id="no path"),
        pytest.param("server_error", {"status": 200}, "it has to be 500 to 599", id="no error"),
        pytest.param("sulk", {}, "'sulk' is not a valid FaultKind", id="unknown"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(registry: Registry, kind: str, details: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        registry.replay.fault(kind, **details)


# --- in process alone -------------------------------------------------------------------------------------------------


def test_the_day_can_be_set(dataset: Dataset) -> None:
    adapter = DatasetAdapter(dataset, start_day=WED)
    adapter.day = TUE

    assert adapter.day == TUE


def test_a_drip_is_refused_without_a_connection(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="serve the dataset with RegistryServer"):
        DatasetAdapter(dataset).fault("slow")
