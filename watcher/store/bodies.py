"""Pack bodies small: each version of a record is compressed against the version before.

A typical change takes about 110 bytes that way instead of 8 kB.  Chains are cut, so that a version needs at most
``MAX_DEPTH`` others to be read, and damage to one spoils at most as many.

The first version of a record is compressed against ``typical_records.jsonl``, invented records with the usual keys and
phrases: a quarter smaller than against nothing.  That file never changes, for no snapshot can be read without it.

Does not touch the database.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files

import zstandard

from watcher.errors import StoreError

MAX_DEPTH = 16
_LEVEL = 6  # 3 % larger than level 9, for half the time
_TYPICAL = "typical_records.jsonl"
_TYPICAL_HASH = "bd80a6d5072e2c162b5e813e05a85fc60bf6c922b9d930cedbe70e9084eba2dd"  # SHA-256
_MAX_BODY = 64 * 1024 * 1024  # bytes; refuses a damaged header that promises more


class UnpackError(ValueError):
    """What is stored cannot be unpacked."""


def pack(body: bytes, base: bytes | None) -> bytes:
    """Return ``body`` compressed, against ``base`` if there is one."""
    if base is None:
        compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_typical_records(), write_checksum=True)
        return compressor.compress(body)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, source_size=len(body), dict_size=len(base), write_checksum=True
    )
    return zstandard.ZstdCompressor(dict_data=_dictionary(base), compression_params=parameters).compress(body)


def unpack(packed: bytes, base: bytes | None) -> bytes:
    """Return what ``pack`` was given.

    Raises:
        UnpackError: damaged, or packed against another base.
    """
    dictionary = _typical_records() if base is None else _dictionary(base)
    try:
        if zstandard.get_frame_parameters(packed).content_size > _MAX_BODY:
            raise UnpackError("the stored size is not plausible")
        return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(packed, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise UnpackError(str(error)) from error


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


@cache
def _typical_records() -> zstandard.ZstdCompressionDict:
    """Load what first versions are packed against.

    Raises:
        StoreError: it is not what it was; with another file every snapshot would look damaged.
    """
    content = files("watcher.store").joinpath(_TYPICAL).read_bytes()
    if sha256(content).hexdigest() != _TYPICAL_HASH:
        raise StoreError(f"watcher/store/{_TYPICAL} is not the file that trialwatch came with: install it again")
    dictionary = _dictionary(content)
    dictionary.precompute_compress(level=_LEVEL)
    return dictionary
