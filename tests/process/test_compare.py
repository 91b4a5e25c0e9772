"""``trialwatch compare``: two records, whole or partial, and many pairs of them."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.factories import study
from tests.process.office import FIRST
from tests.process.typed import CHANGE_KEYS, Run


def _file(path: Path, record: Any) -> str:
    path.write_bytes(orjson.dumps(record))
    return str(path)


def test_two_records_are_compared(tmp_path: Path, run: Run) -> None:
    before = _file(tmp_path / "before.json", study(FIRST))
    after = _file(tmp_path / "after.json", study(FIRST, status="SUSPENDED"))
    (change,) = run("compare", before, after, "--json").lines
    assert set(change) == CHANGE_KEYS
    assert (change["nct_id"], change["how"], change["severity"], change["told"]) == (FIRST, "changed", "critical", True)
    assert (change["old"], change["new"]) == ("RECRUITING", "SUSPENDED")
    assert "Recruitment status: Recruiting → Suspended" in run("compare", before, after).out
    same = run("compare", before, before, "--json")
    assert (same.code, same.out) == (0, "")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_pairs_are_numbered_from_0(tmp_path: Path, run: Run, packed: bool) -> None:  # noqa: FBT001
    before = study(FIRST)
    pairs = [study(FIRST, status="SUSPENDED"), before, study(FIRST, enrollment=400)]
    lines = b"".join(orjson.dumps({"before": before, "after": after}) + b"\n" for after in pairs)
    file = tmp_path / ("pairs.jsonl.gz" if packed else "pairs.jsonl")
    file.write_bytes(gzip.compress(lines) if packed else lines)
    ended = run("compare", "--pairs", str(file), "--json")
    assert ended.code == 0
    assert [line["pair"] for line in ended.lines] == [0, 2]


@pytest.mark.parametrize(
    ("before", "after", "hows"),
    [
        pytest.param({}, {}, [], id="nothing on both sides"),
        pytest.param({"hasResults": False}, {"hasResults": True}, ["changed"], id="without any module"),
        pytest.param(
            {}, {"protocolSection": {"conditionsModule": {"conditions": ["A"]}}}, ["added"], id="a module more"
        ),
        pytest.param({"protocolSection": {"conditionsModule": {"keywords": ["A"]}}}, {}, ["removed"], id="one less"),
        pytest.param(
            {"protocolSection": {"statusModule": {"overallStatus": "RECRUITING"}}},
            {"protocolSection": {"statusModule": {"overallStatus": "A_NEW_ONE", "whyStopped": "?"}}},
            ["changed", "added"],
            id="a status that nobody knows",
        ),
        pytest.param({"a": 1}, {"a": {"b": [1]}}, ["removed", "added"], id="another kind of thing"),
    ],
)
def test_partial_records_are_compared(tmp_path: Path, run: Run, before: Any, after: Any, hows: list[str]) -> None:
    ended = run("compare", _file(tmp_path / "before.json", before), _file(tmp_path / "after.json", after), "--json")
    assert ended.code == 0
    assert sorted(line["how"] for line in ended.lines) == sorted(hows)
    assert {line["nct_id"] for line in ended.lines} <= {None}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b'{"before": {}', "not JSON", id="cut off"),
        pytest.param(b"[1]", "not a JSON object", id="a list"),
        pytest.param(b"null", "not a JSON object", id="null"),
        pytest.param(b"\xff\xfe", "not JSON", id="not UTF-8"),
        pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, "not JSON", id="nested without end"),
    ],
)
def test_what_is_no_record_cannot_be_compared(tmp_path: Path, run: Run, content: bytes, words: str) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    good = _file(tmp_path / "good.json", study(FIRST))
    for files in ([good, str(tmp_path / "bad.json")], [str(tmp_path / "bad.json"), good]):
        ended = run("compare", *files, "--json")
        assert (ended.code, ended.out) == (2, "")
        assert "bad.json" in ended.err
        assert words in ended.err


def _pair(title: str) -> bytes:
    return orjson.dumps({"before": study(FIRST, title="Before"), "after": study(FIRST, title=title)})


def test_a_blank_line_does_not_shift_the_numbers_of_pairs(tmp_path: Path, run: Run) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(_pair("One") + b"\n\n" + _pair("Two") + b"\n \nwrong\n")
    ended = run("compare", "--pairs", str(tmp_path / "pairs.jsonl"), "--json")
    assert {line["pair"] for line in ended.lines} == {0, 2}
    assert ended.code == 2
    assert "pairs.jsonl, line 5: not JSON" in ended.err


def test_damaged_packed_pairs_are_named(tmp_path: Path, run: Run) -> None:
    packed = bytearray(gzip.compress(_pair("One") * 50))
    packed[20:60] = b"\xff" * 40
    (tmp_path / "pairs.jsonl.gz").write_bytes(packed)
    ended = run("compare", "--pairs", str(tmp_path / "pairs.jsonl.gz"), "--json")
    assert ended.code == 2
    assert "pairs.jsonl.gz" in ended.err
