"""What does an answer say to a reader who forgives nothing?  The judge of what the program believed.

Written apart from the program, on the standard library's parser: an answer counts when it is one JSON text in UTF-8, no
object in it gives a key twice, all numbers are finite, and each study in it has its ID and its status in their places.
Of an ID that comes with two contents, neither counts.  The day's stamp is no content.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

Json = Any
_ID = re.compile(r"NCT[0-9]{8}", re.ASCII)


def studies_in(body: bytes, *, alone: bool) -> Mapping[str, Json]:
    """Return the studies that an answer gives beyond doubt, by ID, without their stamps."""
    value = _read(body)
    if value is None and not alone:
        value = _read_by_line(body)
    listed = [value] if alone else value.get("studies") if isinstance(value, dict) else None
    found: dict[str, Json] = {}
    contradicted = set()
    for study in listed if isinstance(listed, list) else []:
        nct_id = _id_of(study)
        if nct_id is None:
            continue
        content = without_stamp(study)
        if nct_id in found and found[nct_id] != content:
            contradicted.add(nct_id)
        found[nct_id] = content
    return {nct_id: study for nct_id, study in found.items() if nct_id not in contradicted}


def release_in(body: bytes) -> tuple[str, str] | None:
    """Return version and timestamp of a release that an answer names beyond doubt."""
    value = _read(body)
    if not isinstance(value, dict):
        return None
    api_version, data_timestamp = value.get("apiVersion"), value.get("dataTimestamp")
    if not isinstance(api_version, str) or not isinstance(data_timestamp, str):
        return None
    return api_version, data_timestamp


def _read(body: bytes) -> Json:
    """Return what the text says; None for what is no JSON beyond doubt."""
    try:
        value = json.loads(
            body.decode("utf-8", "strict"), object_pairs_hook=_once_each, parse_constant=_refused, parse_float=_finite
        )
        json.dumps(value, ensure_ascii=False).encode()  # no half of a surrogate pair
    except (ValueError, RecursionError):
        return None
    return value


def _read_by_line(body: bytes) -> Json:
    """Return a list that has a study a line, as the registry writes it: a broken line says nothing about the others."""
    head, *lines, tail = body.split(b"\n") if body.count(b"\n") > 1 else (b"", b"")
    envelope = _read(head + tail)
    if not isinstance(envelope, dict) or not isinstance(envelope.get("studies"), list):
        return None
    return {"studies": [_read(line.removesuffix(b",")) for line in lines]}


def without_stamp(value: Json) -> Json:
    """Return a study as it is compared: the day's stamp counts for nothing, even in a section that has got lost."""
    if isinstance(value, list):
        return [without_stamp(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: without_stamp(below) for key, below in value.items()}
    section = found.get("derivedSection")
    module = section.get("miscInfoModule") if isinstance(section, dict) else None
    if isinstance(section, dict) and isinstance(module, dict) and module.get("versionHolder") is not None:
        found["derivedSection"] = {**section, "miscInfoModule": {**module, "versionHolder": ""}}
    return found


def _id_of(study: Json) -> str | None:
    """Return the ID of a study that has ID and status; None for what is none."""
    section = study.get("protocolSection") if isinstance(study, dict) else None
    if not isinstance(section, dict):
        return None
    identification, status = section.get("identificationModule"), section.get("statusModule")
    if not isinstance(identification, dict) or not isinstance(status, dict):
        return None
    nct_id = identification.get("nctId")
    if not isinstance(nct_id, str) or not _ID.fullmatch(nct_id) or not isinstance(status.get("overallStatus"), str):
        return None
    return nct_id


def _once_each(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _refused(constant: str) -> Json:
    raise ValueError(f"{constant} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise ValueError(f"{text} is no number")
    return number
