"""Sign mails (DKIM), where the relay does not.

Signs what a reader sees and what mail programs act on.  From, and whatever else may stand in a mail once only, is
signed once more than it is there, so that adding a second one breaks the signature.  The library puts the time of
signing into the signature, from its own clock.

Does not read files, and does not know DNS: ``trialwatch doctor`` looks whether the public key is published.

Sources: RFC 6376 (DKIM; section 8.15 on oversigning), RFC 8463 (Ed25519), RFC 8301 (no RSA key below 1024 bits; large
receivers ask for 2048), RFC 8058 section 4 (both List-Unsubscribe headers must be signed).
"""

import base64
import binascii
from dataclasses import dataclass, field

LEAST_BITS = 2048  # of an RSA key
_SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references", b"mime-version",
    b"content-type", b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"auto-submitted", b"precedence",
)  # fmt: skip
_ED25519_HEAD = bytes.fromhex("302e020100300506032b657004220420")  # PKCS #8 of such a key, before its 32 bytes
_RIGHT = f"name the file of an RSA key of {LEAST_BITS} bits or more, or of an Ed25519 key, in PEM form"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    algorithm: str  # of the signature: "rsa-sha256" or "ed25519-sha256"
    key: bytes = field(repr=False)  # in the form that the library wants


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs for one domain with one key."""

    domain: str
    selector: str  # the public key is at <selector>._domainkey.<domain>
    key: SigningKey

    def signed(self, mime: bytes) -> bytes:
        """Return a mail with its signature before it.

        Args:
            mime: headers and body, CRLF line ends.
        """
        import dkim

        signature: bytes = dkim.sign(
            mime,
            self.selector.encode("ascii"),
            self.domain.encode("ascii"),
            self.key.key,
            # Relaxed: relays fold headers and strip white space.
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=self.key.algorithm.encode("ascii"),
            # Those that are not there are named as well, so that none can be added.
            include_headers=[*_SIGNED, *(name for name in _SIGNED if _has(mime, name))],
        )
        return signature + mime


def _has(mime: bytes, name: bytes) -> bool:
    head = b"\r\n" + mime.partition(b"\r\n\r\n")[0].lower()
    return b"\r\n" + name + b":" in head


def read_key(content: bytes) -> SigningKey:
    """Return the key that a file holds.

    Raises:
        ValueError: none, or one that is too small; the text says what would be right.
    """
    der = _from_pem(content)
    if der.startswith(_ED25519_HEAD) and len(der) == len(_ED25519_HEAD) + 32:
        return SigningKey(algorithm="ed25519-sha256", key=base64.b64encode(der[len(_ED25519_HEAD) :]))
    from dkim.crypto import UnparsableKeyError, parse_pem_private_key

    try:
        parsed = parse_pem_private_key(content)
        bits = parsed["modulus"].bit_length()
    except (UnparsableKeyError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"holds no private key that is understood; {_RIGHT}") from error
    if bits < LEAST_BITS:
        raise ValueError(f"holds an RSA key of {bits} bits, which large receivers do not believe; {_RIGHT}")
    return SigningKey(algorithm="rsa-sha256", key=content)


def _from_pem(content: bytes) -> bytes:
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if len(lines) < 3 or not lines[0].startswith(b"-----BEGIN ") or not lines[0].endswith(b"PRIVATE KEY-----"):
        raise ValueError(f"holds no private key in PEM form; {_RIGHT}")
    if b"ENCRYPTED" in lines[0]:
        raise ValueError(f"holds a key that is encrypted, which nobody is there to open; {_RIGHT}")
    try:
        return base64.b64decode(b"".join(line for line in lines if not line.startswith(b"-----")))
    except binascii.Error as error:
        raise ValueError(f"holds no private key in PEM form; {_RIGHT}") from error
