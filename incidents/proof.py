"""What makes a call a proof: a parameter that nobody but us can make, for one call each.

The phone side reads it, so nothing here touches the store.
"""

import hmac
from typing import Final, Protocol

from incidents.sealed import Keys

PARAMETER: Final = "QuietlineProof"
"""Of a signed request: what makes the call a proof, if it is right."""


class NotProved(Exception):
    """The proof call did not come through; ``str`` says where it ended."""


class Prover(Protocol):
    """Makes the proof call. ``webhooks.proving`` is the real one."""

    def prove(self, call_sid: str) -> None:
        """Make a signed silent call through the public address and end it.

        May take seconds. Raises ``NotProved``.
        """


def proof_of(keys: Keys, call_sid: str) -> str:
    """Return what ``QuietlineProof`` must say for this call."""
    return keys.look_up(f"proof|{call_sid}")


def is_proof(keys: Keys, call_sid: str, given: str | None) -> bool:
    """Say whether a request of this call bears the right proof."""
    # As bytes: a parameter may hold any text, and the comparison refuses what is not ASCII.
    return given is not None and hmac.compare_digest(
        given.encode(), proof_of(keys, call_sid).encode()
    )
