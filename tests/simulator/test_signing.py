"""Signatures: the official vector, and agreement with Twilio's own library."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from simulator.signing import sign, signed_url


def test_the_official_vector_is_signed_as_twilio_signs_it() -> None:
    """Twilio publishes this request and its signature."""
    parameters = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675310"),
        ("Digits", "1234"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
    ]
    url = "https://example.com/myapp.php?foo=1&bar=2"
    assert sign(url, parameters, "12345") == "L/OH5YylLD5NRKLltdqwSvS0BnU="


def test_over_https_the_port_is_not_signed_and_over_http_it_is() -> None:
    """Voice over https: any port is dropped from the URL; http keeps it; fragments never count."""
    assert signed_url("https://a.example:8443/x?y=1#rc=2") == "https://a.example/x?y=1"
    assert signed_url("http://a.example:8055/x#rc=2") == "http://a.example:8055/x"


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=300)
@given(
    st.lists(st.tuples(text.filter(bool), text), max_size=8),
    st.sampled_from(
        ["https://a.example/v", "http://127.0.0.1:8055/v?q=%7E", "https://a.example:1/"]
    ),
)
def test_the_library_accepts_every_signature_we_make(
    pairs: list[tuple[str, str]], url: str
) -> None:
    """Whatever the parameters hold, doubled names too, Twilio's validator agrees."""
    assert RequestValidator("secret").validate(url, MultiDict(pairs), sign(url, pairs, "secret"))
