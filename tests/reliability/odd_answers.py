"""Answers that are JSON: of other records, contradictory, shrunk, or with odd content that may be the registry's word.

Each way says what may come of it.  ``STORED_ONLY``: the answer is no whole, right answer but for the records that it
leaves untouched.  ``WORD``: what is left may be a whole, right record with another content; whether it is, a reader of
its own decides (``strict_reader.py``), and then it is the registry's word, however odd.
"""

from random import Random

import orjson

from tests.reliability.broken_answers import (
    BROKEN,
    cut,
    cut_packed,
    cut_with_length,
    damaged_packed,
    falsely_packed,
    no_study,
    noise,
    other_encoding,
    page_of_html,
    wrong_status,
    zeroed_tail,
)  # fmt: skip
from tests.reliability.questions import Json, May, Question, Sent, Way, id_of, ways, with_id, with_leaf, with_value

WRONG_IDS: tuple[Json, ...] = (
    "NCT00000000", "NCT1", "nct00000001", "NCT\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11", "NCT00000001\n",
    " NCT00000001", "", "\x00", "NCT000000011", "../NCT00000001", "NCT0000000\u0661", None, 1, 1.5, True, [], {},
    ["NCT00000001"], {"nctId": "NCT00000001"},
)  # fmt: skip
ODD_VALUES: tuple[Json, ...] = (
    None, True, False, 0, -1, 10**18, -(2**63), 2**64 - 1, 1e308, -1e-308, 0.1 + 0.2, "", " ", "\x00", "\u202e\u2066",
    "\x1b[31m\x9b2J", "<script>evil()</script>", "=?UTF-8?Q?=0ABcc:_x@example.net?=", "a" * 5_000, "\ufdfa" * 200,
    "0000-00-00", "2026-99-99", "99999-01-01", "-1 Years", "9" * 60, [], {}, [[]], [None], [{}], [0, "", None],
    {"": ""}, {"\x00": {"\n": []}}, ["x", "x", "x"], {"a": [{"a": [{"a": 1}]}]}, [1] * 300, "NCT00000001",
)  # fmt: skip
_SMALL = 2_500  # bytes: less than half of every record that is asked for


# --- JSON, and the wrong one ------------------------------------------------------------------------------------------


def wrong_id(chance: Random, asked: Question) -> Sent:
    wrong = chance.choice((*WRONG_IDS, f"NCT{chance.randrange(10**7, 10**8)}"))
    return Sent(body=asked.with_one(chance, lambda study: with_id(study, wrong)))


def anothers_record(chance: Random, asked: Question) -> Sent:
    return Sent(body=asked.packed([chance.choice(asked.others) for _ in asked.studies]))


def anothers_body(chance: Random, asked: Question) -> Sent:
    """Give an ID twice: with its own record, and with another's body; or the whole list twice, once changed."""
    one = chance.choice(asked.studies)
    other = with_id(orjson.loads(orjson.dumps(chance.choice(asked.others))), id_of(one))
    lines = [*asked.studies, other]
    chance.shuffle(lines)
    if asked.alone:  # two studies in place of one
        return Sent(body=b"\n".join(orjson.dumps(each) for each in lines))
    return Sent(body=asked.packed(lines))


def doubled_key(chance: Random, asked: Question) -> Sent:
    """Give a key of an object twice, with two values."""
    key, value = chance.choice(
        [
            (b'"statusModule":', b'{"overallStatus":"TERMINATED"}'),
            (b'"overallStatus":', b'"WITHDRAWN"'),
            (b'"briefTitle":', b'"Another title"'),
            (b'"nctId":', b'"NCT09999999"'),
            (b'"protocolSection":', b"{}"),
            (b'"identificationModule":', b'{"nctId":"NCT09999998"}'),
            (b'"hasResults":', b"null"),
        ]
    )
    lines = list(asked.lines)
    place = chance.randrange(len(lines))
    lines[place] = lines[place].replace(key, key + value + b"," + key, 1)
    if chance.random() < 0.5:  # the wrong one last, which most readers believe
        true = asked.lines[place]
        lines[place] = (
            true[:-1]
            + b',"protocolSection":{"identificationModule":{"nctId":"%b"},' % asked.ids[place].encode()
            + b'"statusModule":{"overallStatus":"SUSPENDED"}}}'
        )
    return Sent(body=asked.joined(lines))


def structure_of_other_types(chance: Random, asked: Question) -> Sent:
    """Put something else where the ID and the status must stand."""
    way = chance.choice(
        [
            ["protocolSection"],
            ["protocolSection", "identificationModule"],
            ["protocolSection", "statusModule"],
            ["protocolSection", "statusModule", "overallStatus"],
            ["protocolSection", "identificationModule", "nctId"],
        ]
    )
    odd: Json = chance.choice((None, [], {}, 0, True, [{}], [["x"]]))

    def change(study: Json) -> Json:
        holder = study
        for key in way[:-1]:
            holder = holder[key]
        if chance.random() < 0.3:
            del holder[way[-1]]
        else:
            holder[way[-1]] = [holder[way[-1]]] if chance.random() < 0.3 else odd
        return study

    return Sent(body=asked.with_one(chance, change))


def shrunk(chance: Random, asked: Question) -> Sent:
    """Leave out modules until less than half of the record is left, as a registry whose parts fail would."""

    def change(study: Json) -> Json:
        section = study["protocolSection"]
        kept = {key: section[key] for key in ("identificationModule", "statusModule")}
        rest = [key for key in section if key not in kept]
        chance.shuffle(rest)
        small = {"protocolSection": kept, "hasResults": study["hasResults"]}
        for key in rest:
            kept[key] = section[key]
            if len(orjson.dumps(small)) > _SMALL:
                del kept[key]
        return small

    return Sent(body=asked.with_one(chance, change))


# --- perhaps a whole record -------------------------------------------------------------------------------------------


def flipped_bytes(chance: Random, asked: Question) -> Sent:
    body = bytearray(asked.packed())
    for _ in range(chance.choice((1, 1, 1, 2, 4, 8, 64))):
        body[chance.randrange(len(body))] ^= chance.randrange(1, 256)
    return Sent(body=bytes(body))


def lost_piece(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    start = chance.randrange(len(body))
    length = min(chance.choice((1, 2, 10, 100, 1_460, 10_000)), len(body) - start)
    return Sent(body=body[:start] + body[start + length :])


def doubled_piece(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    start = chance.randrange(len(body))
    end = min(start + chance.choice((1, 2, 10, 100, 1_460, 10_000)), len(body))
    return Sent(body=body[:end] + body[start:])


def moved_piece(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    first, second, third = sorted(chance.randrange(len(body)) for _ in range(3))
    return Sent(body=body[:first] + body[second:third] + body[first:second] + body[third:])


def odd_value(chance: Random, asked: Question) -> Sent:
    return Sent(body=asked.with_one(chance, lambda study: with_leaf(study, chance, chance.choice(ODD_VALUES))))


def odd_holder(chance: Random, asked: Question) -> Sent:
    """Put something else in place of an object or a list."""

    def change(study: Json) -> Json:
        found = [way for way in ways(study, holders=True) if len(way) > 1]
        return with_value(study, chance.choice(found), chance.choice(ODD_VALUES))

    return Sent(body=asked.with_one(chance, change))


def deep(chance: Random, asked: Question) -> Sent:
    value: Json = "the bottom"
    for level in range(chance.randrange(10, 240)):
        value = [value] if level % 2 else {"below": value}
    return Sent(body=asked.with_one(chance, lambda study: with_leaf(study, chance, value)))


def odd_stamp(chance: Random, asked: Question) -> Sent:
    """Write the daily stamp otherwise: another type, another place, twice, very long."""
    stamp = chance.choice((*ODD_VALUES, "9999-99-99", "2026-03-02T00:00:00", "x" * 400, "2026-03-\x00"))

    def change(study: Json) -> Json:
        study["derivedSection"] = {"miscInfoModule": {"versionHolder": stamp}} | (
            {"versionHolder": "2026-03-02"} if chance.random() < 0.3 else {}
        )
        return study

    return Sent(body=asked.with_one(chance, change))


def odd_release(chance: Random, asked: Question) -> Sent:
    release = dict(asked.studies[0])
    release[chance.choice(list(release))] = chance.choice((*ODD_VALUES, "2.0.6", "2026-03-02T09:00:05", "x" * 41))
    return Sent(body=orjson.dumps(release))


WRONG: tuple[Way, ...] = (wrong_id, anothers_record, anothers_body, doubled_key, structure_of_other_types, shrunk)
WORD: tuple[Way, ...] = (
    flipped_bytes, lost_piece, doubled_piece, moved_piece, odd_value, odd_holder, deep, odd_stamp,
)  # fmt: skip
WAYS: tuple[Way, ...] = BROKEN + WRONG + WORD
RELEASE_WAYS: tuple[Way, ...] = (
    cut, cut_with_length, cut_packed, zeroed_tail, page_of_html, no_study, noise, other_encoding, falsely_packed,
    damaged_packed, wrong_status, flipped_bytes, lost_piece, doubled_piece, moved_piece, odd_release, odd_release,
    odd_release,
)  # fmt: skip  # those that do not need a record


def may(way: Way) -> May:
    return May.WORD if way in WORD else May.STORED_ONLY
