"""Signed mails: another program believes them as they are, and none of them after somebody has touched it."""

import base64
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.golden.digests import written
from watcher.config.settings import load_settings
from watcher.errors import SettingsError
from watcher.render.letters import About, Coverage, Letter
from watcher.render.signing import Signer, read_key

RSA = generate_private_key(public_exponent=65_537, key_size=2_048)
SMALL = generate_private_key(public_exponent=65_537, key_size=1_024)  # noqa: S505 to be refused
EDWARDS = Ed25519PrivateKey.generate()
LETTER = Letter(
    template="watching",
    subject="Now watching NCT00000001 → ü",
    summary="Now watching.",
    coverage=Coverage(verified=1, watched=1, data_date="2026-03-23"),
    about=About(nct_id="NCT00000001", title="A study"),
    unsubscribe_url="https://trialwatch.example.org/u/word",
)


def pem(key: RSAPrivateKey | Ed25519PrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def published(name: bytes, timeout: int = 0) -> bytes:
    """Answer as DNS would."""
    rsa = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    edwards = EDWARDS.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        b"rsa._domainkey.example.org.": b"v=DKIM1; k=rsa; p=" + base64.b64encode(rsa),
        b"ed._domainkey.example.org.": b"v=DKIM1; k=ed25519; p=" + base64.b64encode(edwards),
    }[name]


def signed(selector: str, key: bytes) -> bytes:
    return written("signed", LETTER, signer=Signer(domain="example.org", selector=selector, key=read_key(key))).mime


def believed(mail: bytes) -> bool:
    return bool(dkim.verify(mail, dnsfunc=published))


@pytest.mark.parametrize(
    ("selector", "key"),
    [
        pytest.param("rsa", pem(RSA), id="RSA"),
        pytest.param("rsa", pem(RSA, PrivateFormat.TraditionalOpenSSL), id="RSA, in the older form"),
        pytest.param("ed", pem(EDWARDS), id="Ed25519"),
    ],
)
def test_a_signed_mail_is_believed(selector: str, key: bytes) -> None:
    assert believed(signed(selector, key))


MAIL = signed("rsa", pem(RSA))


@pytest.mark.parametrize(
    "name",
    [b"From", b"Subject", b"To", b"List-Id", b"List-Unsubscribe", b"List-Unsubscribe-Post", b"References", b"Reply-To"],
)
def test_a_header_cannot_be_added_to_a_signed_mail(name: bytes) -> None:
    assert not believed(name + b": evil@example.net\r\n" + MAIL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"/u/word>", b"/u/evil>", id="the link of one click"),
        pytest.param(b"One-Click", b"Two-Click", id="the one click"),
        pytest.param(b"Now watching.", b"Now evil.", id="the text"),
        pytest.param(b"nct00000001.trials", b"nct00000002.trials", id="the list"),
    ],
)
def test_a_signed_mail_cannot_be_changed(old: bytes, new: bytes) -> None:
    assert old in MAIL
    assert not believed(MAIL.replace(old, new))


def test_a_signed_mail_is_still_7_bit_and_of_short_lines() -> None:
    assert MAIL.isascii()
    assert max(map(len, MAIL.split(b"\r\n"))) <= 998
    assert b"\n" not in MAIL.replace(b"\r\n", b"")


# --- the key in the settings ------------------------------------------------------------------------------------------


def problems(folder: Path, content: bytes | None, *, mode: int = 0o600, more: str = "") -> str:
    """Return what is wrong with settings that name a key, if anything is."""
    if content is not None:
        (folder / "dkim.pem").write_bytes(content)
        (folder / "dkim.pem").chmod(mode)
    path = folder / "trialwatch.toml"
    path.write_text(
        f'operator = "op@example.org"\n[mail.dkim]\nselector = "s1"\nkey_file = "dkim.pem"\n{more}', encoding="utf-8"
    )
    try:
        settings = load_settings(path, environ={})
    except SettingsError as error:
        return str(error)
    assert settings.mail.dkim is not None
    assert settings.mail.dkim.domain == "example.org"
    return ""


@pytest.mark.parametrize("key", [pem(RSA), pem(EDWARDS)], ids=["RSA", "Ed25519"])
def test_a_key_that_receivers_believe_is_taken(tmp_path: Path, key: bytes) -> None:
    assert problems(tmp_path, key) == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "cannot be read (no such file or directory)", id="no file"),
        pytest.param(b"", "no private key in PEM form", id="an empty file"),
        pytest.param(b"\x00\xff" * 500, "no private key in PEM form", id="another file"),
        pytest.param(pem(SMALL), "an RSA key of 1024 bits", id="a small key"),
        pytest.param(
            RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")),
            "a key that is encrypted",
            id="an encrypted key",
        ),
        pytest.param(
            RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "no private key in PEM form",
            id="the public half",
        ),
        pytest.param(pem(RSA)[:400] + b"\n-----END PRIVATE KEY-----\n", "no private key", id="a key that is cut off"),
    ],
)
def test_a_key_that_would_not_do_is_refused_when_the_settings_load(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    said = problems(tmp_path, content)
    assert "mail.dkim.key_file" in said
    assert words in said


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    assert "chmod 600" in problems(tmp_path, pem(RSA), mode=0o644)


def test_a_domain_that_the_sender_is_not_in_is_refused(tmp_path: Path) -> None:
    assert "does not answer for mail from" in problems(tmp_path, pem(RSA), more='domain = "other.example"\n')
