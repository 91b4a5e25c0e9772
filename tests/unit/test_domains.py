"""Domains in ASCII."""

import pytest

from watcher.core.domains import a_labels


@pytest.mark.parametrize(
    ("domain", "written"),
    [
        pytest.param("bücher.example", "xn--bcher-kva.example", id="a label in another script"),
        pytest.param("BÜCHER.Example", "xn--bcher-kva.example", id="capitals"),
        pytest.param("例え。テスト", "xn--r8jz45g.xn--zckzah", id="a full stop of another script"),
        pytest.param("bu\u0308cher.example", "xn--bcher-kva.example", id="letter and mark apart"),
        pytest.param("example.org", "example.org", id="ASCII"),
    ],
)
def test_a_domain_of_any_script_is_written_in_ascii(domain: str, written: str) -> None:
    assert a_labels(domain) == written


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param("", id="nothing"),
        pytest.param("bü cher.example", id="a space"),
        pytest.param("bü\u2028cher.example", id="a line separator"),
        pytest.param("ü" * 64 + ".example", id="a label that is too long"),
        pytest.param("bücher..example", id="an empty label"),
        pytest.param("bü\ud800cher.example", id="half a surrogate pair"),
    ],
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="its domain is not a domain name"):
        a_labels(domain)
