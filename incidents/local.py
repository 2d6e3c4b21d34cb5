"""Local time of the site: what a day is, for whoever works there.

Moments are kept in UTC everywhere; days that people agree on are local.
"""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

LOCAL: Final = ZoneInfo("Europe/London")


def local_day(at: datetime) -> date:
    """Return the local day of a moment."""
    return at.astimezone(LOCAL).date()
