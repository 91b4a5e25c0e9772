"""Answers that are not whole, no JSON, packed wrongly, or of another status: nothing new may come of them."""

import gzip
import zlib
from functools import cache
from random import Random

from tests.reliability.questions import Question, Sent, Way, with_leaf, with_title

MEGABYTE = 1024 * 1024
HTML = (
    b"<!doctype html><html><head><title>Sign in</title></head><body>Please accept our terms.</body></html>",
    b'{"error": "<html>"}<html>',
    b"<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n</html>\r\n",
    b"\n\n<HTML><BODY>" + b"<p>NCT00000001</p>" * 500,
)
NO_STUDY = (
    b"", b" ", b"\n", b"\x00", b"\x00" * 5_000, b"{}", b"[]", b"null", b"true", b"0", b'""', b"{", b"}", b"[", b"]",
    b"{}{}", b'{"studies":', b'{"studies":[\n', b'{"studies":[\n\n]', b'{"studies":null}', b'{"studies":{}}',
    b'{"studies":[null,0,[],{}]}', b'{"studies":[\n{},\n{}\n]}', b'{"studies":[\nnull\n]}', b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}", b'{"protocolSection":null}', b'{"error":{"code":500,"message":"internal"}}', b"NCT00000001",
)  # fmt: skip
NOT_NUMBERS = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 400, b"0x10", b"01", b"+1", b"1.", b".5")


# --- what is not whole, or no JSON ------------------------------------------------------------------------------------


def cut(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    return Sent(body=body[: chance.randrange(len(body))], length_told=False)


def cut_with_length(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    return Sent(body=body[: chance.randrange(len(body))], headers={"Content-Length": str(len(body))})


def cut_packed(chance: Random, asked: Question) -> Sent:
    packed = gzip.compress(asked.packed(), compresslevel=1, mtime=0)
    # Without its last 8 bytes, the check sum and the length, the content is still whole: that is no cut of the record.
    return Sent(
        body=packed[: chance.randrange(len(packed) - 8)], headers={"Content-Encoding": "gzip"}, length_told=False
    )


def zeroed_tail(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    end = chance.randrange(len(body))
    return Sent(body=body[:end] + bytes(len(body) - end))


def page_of_html(chance: Random, asked: Question) -> Sent:
    return Sent(body=chance.choice(HTML), headers={"Content-Type": "text/html"})


def no_study(chance: Random, asked: Question) -> Sent:
    return Sent(body=chance.choice(NO_STUDY))


def noise(chance: Random, asked: Question) -> Sent:
    return Sent(body=chance.randbytes(chance.randrange(1, 4_000)))


def other_encoding(chance: Random, asked: Question) -> Sent:
    return Sent(
        body=asked.packed().decode().encode(chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le", "utf-16-be")))
    )


def not_utf8(chance: Random, asked: Question) -> Sent:
    bad = chance.choice((b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xe2\x82", b"\xc3"))
    line = asked.with_one(chance, lambda study: with_title(study, "HERE IT IS"))
    return Sent(body=line.replace(b"HERE IT IS", bad))


def lone_surrogate(chance: Random, asked: Question) -> Sent:
    bad = chance.choice(
        (rb"\ud800", rb"\udfff", rb"\ud800\u0041", rb"\udc00\ud800", rb"\u12", rb"\x41", b"\n", b"\x01")
    )
    line = asked.with_one(chance, lambda study: with_title(study, "HERE IT IS"))
    return Sent(body=line.replace(b"HERE IT IS", b"A" + bad + b"B"))


def not_a_number(chance: Random, asked: Question) -> Sent:
    line = asked.with_one(chance, lambda study: with_leaf(study, chance, "HERE IT IS"))
    return Sent(body=line.replace(b'"HERE IT IS"', chance.choice(NOT_NUMBERS)))


def too_deep(chance: Random, asked: Question) -> Sent:
    levels = chance.randrange(1_030, 20_000)
    opening, closing = chance.choice(((b"[", b"]"), (b'{"a":', b"}")))
    line = asked.with_one(chance, lambda study: with_leaf(study, chance, "HERE IT IS"))
    return Sent(body=line.replace(b'"HERE IT IS"', opening * levels + b"0" + closing * levels))


def falsely_packed(chance: Random, asked: Question) -> Sent:
    body = asked.packed()
    encoding, content = chance.choice(
        [
            ("gzip", body),
            ("deflate", body),
            ("gzip", zlib.compress(body)),
            ("gzip", gzip.compress(gzip.compress(body, 1), 1)),
            ("identity", gzip.compress(body, 1)),
            ("x-unknown", gzip.compress(body, 1)),
            ("gzip", b"\x1f\x8b"),
            ("gzip, gzip, gzip, gzip, gzip, gzip, gzip", gzip.compress(body, 1)),
        ]
    )
    return Sent(body=content, headers={"Content-Encoding": encoding})


def damaged_packed(chance: Random, asked: Question) -> Sent:
    """Flip a byte of what is packed; a check sum stands against that."""
    packed = bytearray(gzip.compress(asked.packed(), compresslevel=1, mtime=0))
    packed[chance.randrange(10, len(packed) - 8)] ^= 1 << chance.randrange(8)
    return Sent(body=bytes(packed), headers={"Content-Encoding": "gzip"})


# How a bomb begins, what it repeats, and how it ends: white space, depth, NULs, and values without number in each form
# in which a list may be written, whole ones among them.
BOMBS = (
    (b'{"studies":[\n{"a":"', b" ", b""),
    (b"[", b"[", b""),
    (b"", b"\x00", b""),
    (b'{"studies":[\n', b"{}\n,", b""),
    (b'{"studies":[\n', b"{},\n", b"{}\n]}"),
    (b'{"studies":[', b"{},", b"{}]}"),
    (b'{"studies":[\n', b"\n", b"]}"),
    (b'{"a":[', b"[],", b'0],"a":1}'),
)


@cache
def _bomb(kind: int, size: int, *, zipped: bool) -> bytes:
    head, filling, tail = BOMBS[kind]
    packer = zlib.compressobj(6, zlib.DEFLATED, 31 if zipped else 15)
    pieces = [packer.compress(head)]
    pieces += [packer.compress(filling * (MEGABYTE // len(filling))) for _ in range(size)]
    return b"".join([*pieces, packer.compress(tail), packer.flush()])


def bomb(chance: Random, asked: Question) -> Sent:
    """Send what inflates to 200 megabytes, or to one less than the limit."""
    size, zipped = chance.choice((200, 15 if asked.alone else 63)), chance.random() < 0.5
    content = _bomb(chance.randrange(len(BOMBS)), size, zipped=zipped)
    return Sent(body=content, headers={"Content-Encoding": "gzip" if zipped else "deflate"})


# --- other answers than 200 -------------------------------------------------------------------------------------------


def wrong_status(chance: Random, asked: Question) -> Sent:
    status = chance.choice((201, 204, 206, 299, 300, 302, 303, 307, 308, 403, 404, 410, 418, 429, 500, 502, 503, 599))
    body = chance.choice((asked.packed(), b"", HTML[0], b"NCT number not found", b"\x00\x1b[31m", b"x" * 10_000))
    return Sent(body=body, status=status, headers={"Retry-After": chance.choice(("", "0", "-1", "x", "Mon, 99"))})


def wrong_not_found(chance: Random, asked: Question) -> Sent:
    """Say "not found" in part, of another record, or of none."""
    words = f"NCT number {asked.ids[0]} not found".encode()
    place = chance.randrange(len(words))
    body = chance.choice(
        (words[:place], words[place + 1 :], b"NCT number NCT09999999 not found", b"NCT number not found", b"not found")
    )
    return Sent(body=body, status=404)


def wrong_redirect(chance: Random, asked: Question) -> Sent:
    one = asked.ids[0]
    place = chance.randrange(len(one))
    target = chance.choice(
        (f"/api/v2/studies/{one}", f"/api/v2/studies/{one[:place]}", "", "//", "http://[", "/studies/NCT0000000\u0661")
    )
    return Sent(body=b"", status=301, headers={"Location": target.encode().decode("latin-1")})


BROKEN: tuple[Way, ...] = (
    cut, cut_with_length, cut_packed, zeroed_tail, page_of_html, no_study, noise, other_encoding, not_utf8,
    lone_surrogate, not_a_number, too_deep, falsely_packed, damaged_packed, wrong_status, wrong_not_found,
    wrong_redirect,
)  # fmt: skip
COSTLY: tuple[Way, ...] = (bomb,)  # each keeps a processor busy for a good part of a second
