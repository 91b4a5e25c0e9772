"""What a folder of dataset days means, and what is said of a folder that is none."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.factories import study, write_days
from watcher.replay.days import Dataset, DatasetError
from watcher.replay.folder import load_dataset

ONE, TWO, THREE = "NCT00000001", "NCT00000002", "NCT00000003"
MON, TUE, WED = "2026-03-02", "2026-03-03", "2026-03-04"


def status_of(record: bytes) -> str:
    return str(orjson.loads(record)["protocolSection"]["statusModule"]["overallStatus"])


def write_line(folder: Path, line: bytes) -> Path:
    """Write a dataset of two days, of which the first holds one line, with the line ends of another system."""
    (folder / f"{MON}.jsonl").write_bytes(line + b"\r\n\r\n")
    (folder / f"{TUE}.jsonl").write_bytes(b"")
    return folder


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_a_day_holds_the_last_version_of_each_record(tmp_path: Path, suffix: str) -> None:
    days = {MON: [study(ONE), study(TWO)], TUE: [study(ONE, status="COMPLETED")]}
    write_days(tmp_path, days, packed=suffix == "jsonl.gz")
    (tmp_path / "INDEX.tsv").write_text("not a day, and left alone")

    dataset = load_dataset(tmp_path)

    assert dataset.days == (MON, TUE)
    assert {nct_id: status_of(record) for nct_id, record in dataset.on(MON).items()} == {
        ONE: "RECRUITING",
        TWO: "RECRUITING",
    }
    assert {nct_id: status_of(record) for nct_id, record in dataset.on(TUE).items()} == {
        ONE: "COMPLETED",
        TWO: "RECRUITING",
    }


def test_a_record_differs_from_the_recorded_bytes_in_nothing_but_the_stamp(tmp_path: Path) -> None:
    recorded = (
        '{"protocolSection":{"identificationModule":{"nctId":"NCT00000001","briefTitle":"\\u03b1 \\/ β"}},"n":1.0E2,'
        '"derivedSection":{"miscInfoModule":{"versionHolder":"2026-03-02"}},"hasResults":false}'
    )
    day = load_dataset(write_line(tmp_path, recorded.encode())).on(TUE)

    assert day[ONE] == recorded.replace(MON, TUE).encode()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(orjson.dumps(study(ONE, stamp=None)), id="no stamp"),
        pytest.param(b" " + orjson.dumps(study(ONE)).replace(b'":', b'": '), id="white space between key and value"),
        pytest.param(orjson.dumps(study(ONE, stamp="soon")), id="a stamp that is no date"),
        pytest.param(orjson.dumps(study(ONE, extra={"x": {"versionHolder": "2020-01-01"}})), id="the key twice"),
    ],
)
def test_a_record_with_an_unusual_stamp_gets_the_day_all_the_same(tmp_path: Path, line: bytes) -> None:
    served = load_dataset(write_line(tmp_path, line)).on(TUE)[ONE]

    assert orjson.loads(served)["derivedSection"]["miscInfoModule"]["versionHolder"] == TUE
    assert served.count(TUE.encode()) == 1
    assert orjson.dumps(orjson.loads(served)) == served


def test_a_removed_record_is_gone_from_that_day_on_and_may_come_back() -> None:
    dataset = Dataset.of({MON: [study(ONE), study(TWO)], TUE: [{"removed": ONE}], WED: [study(ONE)]})

    assert [set(dataset.on(day)) for day in dataset.days] == [{ONE, TWO}, {TWO}, {ONE, TWO}]


def test_an_alias_leads_to_the_record_that_lists_it_and_hides_the_older_one() -> None:
    dataset = Dataset.of({MON: [study(ONE)], TUE: [study(TWO, aliases=[ONE, THREE])]})

    assert dataset.on(MON).canonical(ONE) == ONE
    assert dataset.on(MON).canonical(THREE) is None
    assert set(dataset.on(TUE)) == {TWO}
    assert [dataset.on(TUE).canonical(nct_id) for nct_id in (ONE, TWO, THREE)] == [TWO, TWO, TWO]


def test_a_day_knows_its_release_and_its_sort_keys() -> None:
    day = Dataset.of({MON: [study(ONE, updated="2026-02-27", enrollment=None)]}).on(MON)

    assert (day.date, day.data_timestamp, day.api_version) == (MON, "2026-03-02T09:00:04", "2.0.5")
    assert day.sort_key(ONE, "LastUpdatePostDate") == "2026-02-27"
    assert day.sort_key(ONE, "EnrollmentCount") is None


def test_a_day_that_was_not_recorded_is_refused_with_those_that_were() -> None:
    dataset = Dataset.of({MON: [study(ONE)], WED: []})

    with pytest.raises(
        DatasetError, match="no dataset of '2026-03-03' here; there are 2, from 2026-03-02 to 2026-03-04"
    ):
        dataset.on(TUE)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param(b'{"protocolSection":', "not JSON", id="a line cut off"),
        pytest.param(b"[]", "another kind of JSON", id="a list"),
        pytest.param(b'{"protocolSection":{}}', "nctId is None", id="no ID"),
        pytest.param(orjson.dumps(study("NCT1")), "nctId is 'NCT1'; it has to be NCT and eight digits", id="short ID"),
        pytest.param(orjson.dumps(study(ONE, aliases=["X"])), "nctIdAliases is 'X'", id="an alias that is no ID"),
        pytest.param(b'{"removed":7}', '"removed" is 7', id="a removal of no ID"),
        pytest.param(b'{"removed":"NCT00000009"}', "not in the registry by then", id="a removal of nothing"),
        pytest.param(
            orjson.dumps(study(ONE, extra={"derivedSection": []})), "derivedSection is no JSON object", id="no place"
        ),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_number(tmp_path: Path, line: bytes, complaint: str) -> None:
    (tmp_path / f"{MON}.jsonl").write_bytes(orjson.dumps(study(TWO)) + b"\n" + line + b"\n")

    with pytest.raises(DatasetError) as caught:
        load_dataset(tmp_path)

    assert f"{MON}.jsonl, line 2: " in str(caught.value)
    assert complaint in str(caught.value)


def cut_off(folder: Path) -> None:
    (folder / f"{MON}.jsonl.gz").write_bytes(gzip.compress(orjson.dumps(study(ONE)))[:-12])


def not_packed(folder: Path) -> None:
    (folder / f"{MON}.jsonl.gz").write_bytes(orjson.dumps(study(ONE)))


def no_date(folder: Path) -> None:
    write_days(folder, {"2026-02-30": [study(ONE)]})


def twice(folder: Path) -> None:
    write_days(folder, {MON: [study(ONE)]})
    write_days(folder, {MON: [study(ONE)]}, packed=False)


def nothing(folder: Path) -> None:
    (folder / "notes.txt").write_text("no dataset day")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(nothing, "holds no dataset day; there should be files like 2026-03-02.jsonl.gz", id="no day"),
        pytest.param(cut_off, "2026-03-02.jsonl.gz cannot be read", id="packed file cut off"),
        pytest.param(not_packed, "2026-03-02.jsonl.gz cannot be read", id="file not packed"),
        pytest.param(no_date, "2026-02-30 is no date", id="a name that is no date"),
        pytest.param(twice, "2026-03-02 is there twice", id="a day twice"),
    ],
)
def test_a_bad_folder_is_refused_in_words(tmp_path: Path, spoil: Callable[[Path], None], complaint: str) -> None:
    spoil(tmp_path)

    with pytest.raises(DatasetError, match=complaint):
        load_dataset(tmp_path)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere is not a folder"):
        load_dataset(tmp_path / "nowhere")


CORPUS = Path(os.environ.get("TRIALWATCH_CORPUS", "../shared/corpus")) / "days"


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no recorded dataset days in {CORPUS}; set TRIALWATCH_CORPUS")
def test_real_records_are_served_as_they_were_recorded() -> None:
    dataset = load_dataset(CORPUS)

    for day in dataset.days:
        served = dataset.on(day)
        for line in gzip.decompress((CORPUS / f"{day}.jsonl.gz").read_bytes()).splitlines():
            nct_id = orjson.loads(line)["protocolSection"]["identificationModule"]["nctId"]
            assert served[nct_id] == line
