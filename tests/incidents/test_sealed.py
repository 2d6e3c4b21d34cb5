"""Nothing about a caller stands in the clear, and a reference copied wrong is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from incidents.sealed import (
    ALPHABET,
    KEY_BYTES,
    CannotOpen,
    Keys,
    check_character,
    digest,
    is_reference,
    make_secret,
    read_secret,
)

KEYS = Keys(bytes(range(32)))
OTHER = Keys(bytes(range(1, 33)))
PLAIN = b"+447700900123"
references = st.text(min_size=1, max_size=60).map(KEYS.reference)


def single_mistakes(reference: str) -> set[str]:
    """Return every reference with exactly one character written as another."""
    return {
        reference[:at] + wrong + reference[at + 1 :]
        for at in range(len("QL-"), len(reference))
        if reference[at] != "-"
        for wrong in ALPHABET
        if wrong != reference[at]
    }


def neighbours_swapped(reference: str) -> set[str]:
    """Return every reference with two neighbours changed over, the dashes left where they were."""
    symbols = reference.removeprefix("QL-").replace("-", "")
    swapped = set()
    for at in range(len(symbols) - 1):
        if symbols[at] != symbols[at + 1]:
            text = symbols[:at] + symbols[at + 1] + symbols[at] + symbols[at + 2 :]
            swapped.add(f"QL-{text[:4]}-{text[4:8]}-{text[8:]}")
    return swapped


@examples(max_examples=200, deadline=None)
@given(references)
def test_a_reference_is_known_as_one(reference: str) -> None:
    """As it stands on every screen."""
    assert is_reference(reference)


@examples(max_examples=100, deadline=None)
@given(references)
def test_every_single_wrong_character_of_a_reference_is_found(reference: str) -> None:
    """The check character's included."""
    assert [wrong for wrong in single_mistakes(reference) if is_reference(wrong)] == []


@examples(max_examples=200, deadline=None)
@given(references)
def test_every_two_neighbours_changed_over_are_found(reference: str) -> None:
    """The commonest slip of a tired hand."""
    assert [wrong for wrong in neighbours_swapped(reference) if is_reference(wrong)] == []


def test_a_check_character_that_only_added_up_would_miss_neighbours_changed_over() -> None:
    """The check above can fail: a plain sum does not know places."""

    def plain_sum(text: str) -> int:
        return sum(map(ALPHABET.index, text)) % len(ALPHABET)

    text, swapped = "7K3M9F2XHC", "K73M9F2XHC"
    found = [sum_of(text) != sum_of(swapped) for sum_of in (plain_sum, check_character)]
    assert found == [False, True]


@pytest.mark.parametrize(
    "text", ["", "QL-", "QL-7K3M", "QL-7K3M-9F2X-HC44", "ql-7k3m-9f2x-hc4", "٧"]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    """Too short, too long, in small letters, in another script."""
    assert not is_reference(text)


def test_the_alphabet_has_no_look_alikes() -> None:
    """No 0 and O, no 1, I and L."""
    assert (set("01OIL") & set(ALPHABET), len(set(ALPHABET))) == (set(), 31)


def test_a_reference_is_the_same_wherever_it_is_derived() -> None:
    """Feed, journal and store agree without asking each other."""
    assert KEYS.reference("call") == Keys(bytes(range(32))).reference("call")


def test_a_reference_tells_nothing_without_the_key() -> None:
    """Another site gives the same call another reference."""
    assert KEYS.reference("call") != OTHER.reference("call")


def test_what_is_sealed_opens_in_its_place() -> None:
    """Whole."""
    assert KEYS.open(KEYS.seal(PLAIN, "numbers|1|number"), "numbers|1|number") == PLAIN


@pytest.mark.parametrize("place", ["", "numbers|2|number", "numbers|1|name", "people|1|number"])
def test_what_is_sealed_does_not_open_in_another_place(place: str) -> None:
    """A value moved to another row, column or table is refused."""
    sealed = KEYS.seal(PLAIN, "numbers|1|number")
    with pytest.raises(CannotOpen):
        KEYS.open(sealed, place)


def test_what_is_sealed_does_not_open_with_another_key() -> None:
    """A stolen store opens nothing."""
    sealed = KEYS.seal(PLAIN, "numbers|1|number")
    with pytest.raises(CannotOpen):
        OTHER.open(sealed, "numbers|1|number")


@pytest.mark.parametrize("at", range(12 + len(PLAIN) + 16))
def test_what_is_sealed_does_not_open_with_one_bit_changed(at: int) -> None:
    """Anywhere: nonce, text or tag."""
    sealed = bytearray(KEYS.seal(PLAIN, "place"))
    sealed[at] ^= 1
    with pytest.raises(CannotOpen):
        KEYS.open(bytes(sealed), "place")


@pytest.mark.parametrize("length", [0, 1, 11, 12, 27, 28, 40])
def test_what_is_sealed_does_not_open_cut_short(length: int) -> None:
    """The tail of a file that was torn off."""
    sealed = KEYS.seal(PLAIN, "place")
    with pytest.raises(CannotOpen):
        KEYS.open(sealed[:length], "place")


def test_the_same_number_sealed_twice_looks_different() -> None:
    """Nobody can tell from the disk that one person called twice."""
    assert KEYS.seal(PLAIN, "place") != KEYS.seal(PLAIN, "place")


def test_a_keyed_hash_finds_the_same_text_again() -> None:
    """40 hex digits."""
    found = KEYS.look_up("+447700900123")
    assert (found == KEYS.look_up("+447700900123"), len(found)) == (True, 40)


def test_a_keyed_hash_differs_by_key() -> None:
    """A list of all numbers, hashed elsewhere, finds nothing here."""
    assert KEYS.look_up("+447700900123") != OTHER.look_up("+447700900123")


def test_a_number_and_a_reference_are_hashed_with_keys_of_their_own() -> None:
    """A reference, which is public, must not open a look-up."""
    looked_up = int(KEYS.look_up("call"), 16)
    symbols = []
    for _ in range(10):
        looked_up, symbol = divmod(looked_up, len(ALPHABET))
        symbols.append(ALPHABET[symbol])
    assert KEYS.reference("call").replace("-", "")[2:12] != "".join(symbols)


def test_the_borders_between_parts_of_a_digest_count() -> None:
    """``ab, c`` is not ``a, bc``."""
    assert digest(b"key", "ab", "c") != digest(b"key", "a", "bc")


@pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    """32 bytes, no fewer and no more."""
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(bytes(length))


def test_a_secret_comes_back_as_it_was_made() -> None:
    """In base64, one line."""
    assert len(read_secret(make_secret() + "\n")) == KEY_BYTES


@pytest.mark.parametrize("text", ["", "short", "A" * 42, "A" * 44 + "AAAA", "é" * 44, "=" * 44])
def test_a_secret_cut_or_garbled_is_refused(text: str) -> None:
    """With a ``ValueError``: the start says so instead of sealing with half a key."""
    with pytest.raises(ValueError):
        read_secret(text)
