"""What makes a look at records unusual, as values; ``config/unusual.toml`` holds them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unusual:
    """The rules. 0 records: nobody is named for many look-ups.

    ``records``: more different records than this, opened by one person within ``minutes``, stand
    out. ``own_number``: whether opening a call from one's own phone does. ``outside_shift``:
    whether a look outside one's hours does, ``grace_minutes`` before and after them left aside.
    """

    own_number: bool = True
    records: int = 60
    minutes: int = 60
    outside_shift: bool = True
    grace_minutes: int = 30
