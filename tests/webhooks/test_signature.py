"""A request counts as Twilio's only if the library of Twilio would say so too."""

from __future__ import annotations

import ast
import inspect
import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from tests.webhooks import requests
from tests.webhooks.requests import FORM, NEXT_TOKEN, TOKEN, form, signature
from webhooks import signature as module
from webhooks.signature import Signatures

VECTOR_URL = "https://example.com"
VECTOR_TARGET = b"/myapp.php?foo=1&bar=2"
VECTOR = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675310"),
    ("Digits", "1234"),
    ("From", "+14158675310"),
    ("To", "+18005551212"),
]
VECTOR_SIGNATURE = "L/OH5YylLD5NRKLltdqwSvS0BnU="

ORIGINS = [
    "https://phone.example",
    "https://phone.example:8443",
    "https://phone.example:443",
    "https://phone.example/quiet/line",
    "https://phone.example:8443/quiet",
    "http://phone.example",
    "http://phone.example:8055",
    "http://phone.example:80",
    "http://127.0.0.1:8055",
]
PORT = re.compile(r":[0-9]+(?=/|$)")
PATHS = [
    "/voice/incoming",
    "/voice/step/hold.1.1766426591.0.00.7.0.0.0.0-55",
    "/voice/%7Etilde",
    "/voice/a%2Fb",
    "/voice/~tilde",
    "/voice//double",
    "/voice/%C3%A9",
]
QUERIES = ["", "?a=1&b=2", "?a=%2F%7E", "?b=2&a=1&a=3"]
# No surrogates: they cannot be sent as UTF-8 by anybody.
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = st.sampled_from(["Digits", "From", "CallSid", "SpeechResult", "A", "AB", "a"]) | TEXT
VALUES = st.sampled_from(["", "5", "55", "+447700900123", "é" * 300, "a" * 5000, "&=+% "]) | TEXT
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=12)
TOKENS = st.sampled_from([TOKEN, NEXT_TOKEN, "other"])


def check(origin: str, target: str, pairs: requests.Pairs, given_signature: str | None) -> bool:
    """Ask ours."""
    signatures = Signatures(origin, (TOKEN, NEXT_TOKEN))
    found = signatures.signed(target.encode(), form(pairs), FORM, "", given_signature)
    return found is not None


def library(origin: str, target: str, pairs: requests.Pairs, given_signature: str) -> bool:
    """Ask Twilio's library, with either token."""
    params = MultiDict(pairs)
    return any(
        RequestValidator(token).validate(origin + target, params, given_signature)
        for token in (TOKEN, NEXT_TOKEN)
    )


# Twilio, Security: "Take the full URL of the request URL you specify for your phone number or app
# … sort all of the POST parameters alphabetically … append the parameter name and value to the end
# of the URL … sign the resulting string with HMAC-SHA1 using your AuthToken as the key …
# Base64 encode the resulting hash value."
def test_the_official_vector_is_accepted() -> None:
    """Twilio's own worked example."""
    signatures = Signatures(VECTOR_URL, ("12345",))
    found = signatures.signed(VECTOR_TARGET, form(VECTOR), FORM, "", VECTOR_SIGNATURE)
    assert found == dict(VECTOR)


@pytest.mark.parametrize("at", range(len(VECTOR)))
def test_the_official_vector_with_one_value_changed_is_refused(at: int) -> None:
    """Every parameter is covered."""
    changed = [(n, v + "5" if i == at else v) for i, (n, v) in enumerate(VECTOR)]
    signatures = Signatures(VECTOR_URL, ("12345",))
    assert signatures.signed(VECTOR_TARGET, form(changed), FORM, "", VECTOR_SIGNATURE) is None


@given(st.sampled_from(PATHS), st.sampled_from(QUERIES), PAIRS, TOKENS, st.randoms())
@settings(max_examples=300, deadline=None)
def test_we_accept_exactly_what_the_library_accepts(
    path: str, query: str, pairs: requests.Pairs, token: str, random: Random
) -> None:
    """Thousands of requests: each origin, signed with and without its port, fields in any order."""
    shuffled = list(pairs)
    random.shuffle(shuffled)
    target = path + query
    for origin in ORIGINS:
        for url in {origin + target, PORT.sub("", origin) + target}:
            made = RequestValidator(token).compute_signature(url, MultiDict(pairs))
            assert made == signature(url, pairs, token)
            assert check(origin, target, shuffled, made) == library(origin, target, shuffled, made)


@given(PAIRS, PAIRS, st.sampled_from(PATHS))
@settings(max_examples=200, deadline=None)
def test_a_signature_of_another_body_is_refused_as_the_library_refuses_it(
    one: requests.Pairs, other: requests.Pairs, path: str
) -> None:
    """A good signature on the wrong body is no good signature."""
    made = signature(ORIGINS[0] + path, one)
    assert check(ORIGINS[0], path, other, made) == library(ORIGINS[0], path, other, made)


@given(PAIRS, st.sampled_from(PATHS))
@settings(max_examples=200, deadline=None)
def test_a_bare_question_mark_makes_no_difference(pairs: requests.Pairs, path: str) -> None:
    """Twilio signs it, proxies and servers drop it: the commonest mismatch there is."""
    made = signature(f"{ORIGINS[0]}{path}?", pairs)
    assert check(ORIGINS[0], path, pairs, made)
    assert check(ORIGINS[0], f"{path}?", pairs, made)


@given(st.sampled_from(PATHS), PAIRS)
@settings(max_examples=200, deadline=None)
def test_the_path_is_checked_as_it_came_and_never_decoded(path: str, pairs: requests.Pairs) -> None:
    """``%7E`` and ``~`` are two addresses to Twilio, though a web framework makes them one."""
    made = signature(ORIGINS[0] + path, pairs)
    twin = path.replace("%7E", "~").replace("%2F", "/").replace("%C3%A9", "é")
    assert check(ORIGINS[0], path, pairs, made)
    if twin != path:
        assert not check(ORIGINS[0], twin, pairs, made)


# Twilio: "If your URL uses an https scheme with a port, Twilio drops the port for Voice; over http
# the port stays."
@pytest.mark.parametrize(
    ("origin", "signed"),
    [
        ("https://phone.example:8443", "https://phone.example"),
        ("https://phone.example:8443/quiet", "https://phone.example/quiet"),
        ("https://phone.example", "https://phone.example:443"),
        ("http://phone.example:8055", "http://phone.example:8055"),
        ("http://phone.example", "http://phone.example:80"),
        ("https://[2001:db8::55]:8443", "https://[2001:db8::55]"),
    ],
)
def test_the_port_is_dropped_over_https_and_kept_over_http(origin: str, signed: str) -> None:
    """Whichever way Twilio wrote the port when it signed, the caller is heard."""
    made = signature(f"{signed}/voice/incoming", VECTOR)
    assert check(origin, "/voice/incoming", VECTOR, made)


def test_another_port_or_scheme_is_refused() -> None:
    """Only our own address counts."""
    for url in ("http://phone.example", "https://phone.example:9", "https://phone.example.evil"):
        made = signature(f"{url}/voice/incoming", VECTOR)
        assert not check("https://phone.example:8443", "/voice/incoming", VECTOR, made)


@pytest.mark.parametrize("token", [TOKEN, NEXT_TOKEN])
def test_the_current_and_the_next_token_both_open(token: str) -> None:
    """A token is rotated without dropping one call."""
    made = signature("https://phone.example/voice/incoming", VECTOR, token)
    assert check("https://phone.example", "/voice/incoming", VECTOR, made)


def test_a_token_that_is_no_longer_set_opens_nothing() -> None:
    """After the rotation the old token is worth nothing."""
    made = signature("https://phone.example/voice/incoming", VECTOR, TOKEN)
    after = Signatures("https://phone.example", (NEXT_TOKEN,))
    assert after.signed(b"/voice/incoming", form(VECTOR), FORM, "", made) is None


GOOD = signature("https://phone.example/voice/incoming", VECTOR)


def _twin(text: str) -> str:
    """Return another base64 text for the same bytes: the last character has two spare bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = alphabet.index(text[-2])
    return text[:-2] + alphabet[at ^ 1] + "="


@pytest.mark.parametrize(
    "bad",
    [
        None, "", " ", GOOD[:-1], GOOD[1:], GOOD[:14], GOOD.lower(), GOOD.swapcase(), GOOD + "=",
        f"{GOOD},{GOOD}", f"{GOOD} {GOOD}", f" {GOOD}", f"{GOOD}\n", "A" * 28, "=" * 28, "é" * 28,
        "\x00" * 28, "A" * 10_000, _twin(GOOD), GOOD.encode().hex(), "L/OH5YylLD5NRKLltdqwSvS0BnU=",
    ],
)  # fmt: skip
def test_a_wrong_signature_is_refused(bad: str | None) -> None:
    """Missing, empty, cut, doubled, another one's, or written another way."""
    assert not check("https://phone.example", "/voice/incoming", VECTOR, bad)


@given(st.text(max_size=40))
@settings(max_examples=500)
def test_no_made_up_signature_opens(made_up: str) -> None:
    """Whatever stands in the header, it is refused without an error."""
    assert not check("https://phone.example", "/voice/incoming", VECTOR, made_up)


@given(
    st.binary(max_size=400),
    st.text(max_size=60) | st.sampled_from([
        FORM, "", "text/plain", "application/json", f"{FORM}; charset=utf-7",
        f"{FORM}; charset=utf-16", f"{FORM}; charset=hex", f"{FORM}; charset=undefined",
        f"{FORM}; charset=idna", f"{FORM}; charset=unicode_escape", f'{FORM}; charset="\x00"',
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x",
        "multipart/form-data; boundary=x; charset=utf-16",
    ]),
    st.sampled_from(["", "gzip", "deflate", "br", "identity"]),
)  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_no_bytes_whatever_make_the_check_raise(body: bytes, kind: str, encoding: str) -> None:
    """The library raises on bytes and on a missing signature; ours says no."""
    signatures = Signatures("https://phone.example", (TOKEN,))
    assert signatures.signed(b"/voice/\xff", body, kind, encoding, "A" * 27 + "=") is None


@given(
    st.lists(st.tuples(st.sampled_from([b"Digits", b"a\xff"]), st.binary(max_size=9)), max_size=4)
)
@settings(max_examples=500, deadline=None)
def test_a_body_that_is_no_utf_8_is_read_as_the_library_reads_it(
    pairs: list[tuple[bytes, bytes]],
) -> None:
    """Raw bytes of any kind: what a framework would hand the library is accepted."""
    raw = [(name, value.translate(None, b"&=+%")) for name, value in pairs]
    body = b"&".join(name + b"=" + value for name, value in raw)
    read = [(n.decode("utf-8", "replace"), v.decode("utf-8", "replace")) for n, v in raw]
    made = signature("https://phone.example/voice/incoming", read)
    signatures = Signatures("https://phone.example", (TOKEN,))
    assert signatures.signed(b"/voice/incoming", body, FORM, "", made) is not None


@given(PAIRS, PAIRS)
@settings(max_examples=300, deadline=None)
def test_only_what_is_signed_is_returned(signed: requests.Pairs, other: requests.Pairs) -> None:
    """A JSON body is not covered by the signature of the URL, so nothing in it is used."""
    made = signature("https://phone.example/voice/incoming", [])
    signatures = Signatures("https://phone.example", (TOKEN,))
    found = signatures.signed(
        b"/voice/incoming", form([*signed, *other, ("Digits", "55")]), "application/json", "", made
    )
    assert found == {}


def test_of_a_parameter_that_came_twice_the_first_counts() -> None:
    """And the signature covers both."""
    pairs = [("Digits", "7"), ("Digits", "5")]
    made = signature("https://phone.example/voice/incoming", pairs)
    signatures = Signatures("https://phone.example", (TOKEN,))
    assert signatures.signed(b"/voice/incoming", form(pairs), FORM, "", made) == {"Digits": "7"}


def test_the_comparison_takes_the_same_time_wherever_the_first_difference_is() -> None:
    """The only comparison of secrets is ``hmac.compare_digest``, and it ends no loop early."""
    tree = ast.parse(inspect.getsource(module))
    matches = next(n for n in ast.walk(tree) if getattr(n, "name", "") == "_matches")
    calls = [ast.unparse(n.func) for n in ast.walk(matches) if isinstance(n, ast.Call)]
    assert "hmac.compare_digest" in calls
    early = (ast.Compare, ast.If, ast.Break, ast.BoolOp)
    assert [ast.dump(n) for n in ast.walk(matches) if isinstance(n, early)] == []
    assert sum(isinstance(n, ast.Return) for n in ast.walk(matches)) == 1
