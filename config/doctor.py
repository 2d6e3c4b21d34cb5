"""`flask --app app doctor`: look at this installation and say what to do about it.

Each check is a pure function of what was seen and returns a ``Finding``. What cannot be seen from
here (Twilio's side of the account) is said as such and never counted as fine. It changes nothing.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

Level = Literal["ok", "warn", "fail"]

DISK_FAIL_BYTES: Final = 100 * 1024 * 1024
DISK_WARN_BYTES: Final = 1024 * 1024 * 1024
CLOCK_UNSYNCHRONISED: Final = 5
"""What adjtimex(2) returns when no time service keeps the clock."""
CLOCK_TOLERANCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report. ``to_do`` is empty when nothing needs doing."""

    level: Level
    name: str
    text: str
    to_do: str = ""

    def __str__(self) -> str:
        line = f"{self.level:<4}  {self.name}: {self.text}"
        return f"{line}\n      → {self.to_do}" if self.to_do else line


def check_unknown_settings(given: Iterable[str], known: Iterable[str]) -> Finding:
    """Find settings nobody reads: a misspelt name leaves its default in force."""
    ours = ("QUIETLINE_", "TWILIO_")
    strange = sorted({name for name in given if name.startswith(ours)} - set(known))
    if strange:
        return Finding(
            "warn",
            "settings",
            f"nothing reads {', '.join(strange)}",
            "Correct the spelling; .env.example lists every setting.",
        )
    return Finding("ok", "settings", "every one is valid")


def check_mode(training: bool) -> Finding:
    """Say whether real calls can come in."""
    if training:
        return Finding(
            "warn",
            "mode",
            "training: no real call can come in",
            "Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to serve a real number.",
        )
    return Finding("ok", "mode", "live: calls of the Twilio account are answered")


def check_profiles(unverified: Iterable[str]) -> Finding:
    """Name the profiles that no authority has confirmed."""
    names = sorted(unverified)
    if names:
        return Finding(
            "warn",
            "profiles",
            f"valid, but not verified by the authority of the place: {', '.join(names)}",
            "Have the control room you serve confirm its profile, then set verified_by_authority.",
        )
    return Finding("ok", "profiles", "valid and verified")


def check_keys(file: Path, mode: int | None) -> Finding:
    """Check the file of the key that seals numbers; ``mode`` is None when there is no file."""
    if mode is None:
        return Finding("ok", "keys", "given by QUIETLINE_KEYS")
    if stat.S_IMODE(mode) & 0o077:
        return Finding(
            "fail",
            "keys",
            f"{file} can be read by others than its owner",
            f"chmod 600 {file}",
        )
    return Finding(
        "warn",
        "keys",
        f"made on the first start, in {file}",
        "Keep a copy away from this machine: without it no stored number can be read.",
    )


def check_disk(name: str, folder: Path, free_bytes: int | None) -> Finding:
    """Check the room left. ``free_bytes`` is None when the folder cannot be looked at."""
    if free_bytes is None:
        return Finding(
            "fail",
            name,
            f"{folder} cannot be read",
            "Make the folder and let our user write in it.",
        )
    room = f"{free_bytes // (1024 * 1024)} MB free at {folder}"
    if free_bytes < DISK_FAIL_BYTES:
        return Finding("fail", name, room, "Make room now: calls are kept on this disk.")
    if free_bytes < DISK_WARN_BYTES:
        return Finding("warn", name, room, "Make room: calls are kept on this disk.")
    return Finding("ok", name, room)


def check_writable(name: str, folder: Path, error: str | None) -> Finding:
    """Check a journal folder. ``error`` is why a synced write failed, or None if it succeeded."""
    if error is not None:
        return Finding(
            "fail",
            name,
            f"{folder} cannot be written: {error}",
            "Mend the disk or the folder's owner: no call can be kept there.",
        )
    return Finding("ok", name, f"{folder} takes a synced write")


def check_spare(same_disk: bool) -> Finding:
    """Check that one broken disk does not take both journals."""
    if same_disk:
        return Finding(
            "warn",
            "spare journal",
            "on the same disk as the journal",
            "Set QUIETLINE_JOURNAL_SPARE to a folder on another disk.",
        )
    return Finding("ok", "spare journal", "on a disk of its own")


def check_clock(adjtimex: int | None, ahead_seconds: float) -> Finding:
    """Check the clock: kept by a time service, and not behind what is already on disk."""
    if ahead_seconds > CLOCK_TOLERANCE_SECONDS:
        return Finding(
            "fail",
            "clock",
            f"{ahead_seconds:.0f} s behind the newest file in the data folder",
            "Set the clock right: times on the record come from it.",
        )
    if adjtimex is None or adjtimex == CLOCK_UNSYNCHRONISED:
        return Finding(
            "warn",
            "clock",
            "no time service seems to keep it",
            "Install one: sudo apt-get install -y systemd-timesyncd (in a container: on its host).",
        )
    return Finding("ok", "clock", "kept by a time service")


def check_store(error: str | None) -> Finding:
    """Check the store. ``error`` names what went wrong, or is None when it answered."""
    if error is not None:
        return Finding(
            "fail",
            "store",
            f"does not answer ({error})",
            "Start the database, or correct QUIETLINE_DATABASE_URL. "
            "Calls are answered and kept in the journal meanwhile.",
        )
    return Finding("ok", "store", "answers")


def check_migrations(current: str | None, head: str | None) -> Finding:
    """Check that the store's tables are those of this release."""
    if current != head:
        return Finding(
            "fail",
            "migrations",
            f"the store stands at {current or 'nothing'}, this release needs {head}",
            "Start Quietline once (make run): it brings the tables up to date.",
        )
    return Finding("ok", "migrations", f"at {head}")


def check_public_url(public_url: str) -> Finding:
    """Check that Twilio could use the public URL at all."""
    parts = urlsplit(public_url)
    if is_loopback(parts.hostname or ""):
        return Finding(
            "warn",
            "public URL",
            f"{public_url} is this machine only: Twilio cannot reach it",
            "Set QUIETLINE_PUBLIC_URL to the https address that leads to the phone process.",
        )
    if parts.scheme != "https":
        return Finding(
            "warn",
            "public URL",
            f"{public_url} is not https: anyone on the way can read who calls",
            "Put a TLS proxy in front of the phone process and use its https address.",
        )
    return Finding("ok", "public URL", public_url)


def check_reach(public_url: str, error: str | None) -> Finding:
    """Check the way through the public URL. ``error`` is why /healthz did not answer, or None."""
    if error is None:
        return Finding("ok", "way in", f"{public_url}/healthz answers")
    if is_loopback(urlsplit(public_url).hostname or ""):
        return Finding(
            "warn",
            "way in",
            f"{public_url}/healthz does not answer ({error})",
            "Start Quietline (make run) and ask again.",
        )
    return Finding(
        "fail",
        "way in",
        f"{public_url}/healthz does not answer ({error})",
        "Start Quietline, then follow the way: DNS, firewall, TLS proxy, QUIETLINE_PHONE_BIND.",
    )


def check_console(bind_host: str, console_url: str) -> Finding:
    """Check that the console is not offered to the whole network by mistake."""
    if not is_loopback(bind_host) and urlsplit(console_url).scheme != "https":
        return Finding(
            "warn",
            "console",
            f"listens beyond this machine ({bind_host}) and is not https",
            "Put it behind a TLS proxy on the private network; never on the internet.",
        )
    return Finding("ok", "console", console_url)


def check_control_room(number: str | None) -> Finding:
    """Check that a caller nobody answers is taken to somebody."""
    if number is None:
        return Finding(
            "warn",
            "control room",
            "none: a caller on hold waits for the board alone",
            "Set QUIETLINE_CONTROL_ROOM to a number that is answered day and night.",
        )
    return Finding("ok", "control room", "set; a caller nobody has is bridged to it")


def check_services(stale: Sequence[str]) -> Finding:
    """Check that the support callers are told of was looked at again in time; ``stale``: ids."""
    if stale:
        return Finding(
            "warn",
            "services",
            f"past the day of their review: {', '.join(stale)}",
            "Check number, hours and website at the source, then correct config/services.toml.",
        )
    return Finding("ok", "services", "none is past the day of its review")


def check_people(supervisors: int, with_a_phone: int, administrators: int) -> list[Finding]:
    """Check that the ladder has somebody to ring, and that somebody can end an account."""
    found = []
    if with_a_phone:
        found.append(
            Finding("ok", "ladder", f"{with_a_phone} of {supervisors} supervisor(s) can be rung")
        )
    else:
        found.append(
            Finding(
                "warn",
                "ladder",
                "no supervisor can be rung: the ladder passes that rung over",
                ".venv/bin/flask --app app users add NAME --role supervisor --phone NUMBER",
            )
        )
    if not administrators:
        found.append(
            Finding(
                "warn",
                "people",
                "nobody can invite, or end the account of somebody who leaves, at the console",
                ".venv/bin/flask --app app users add NAME --role administrator",
            )
        )
    return found


def check_heartbeat(url: str | None) -> Finding:
    """Check that somebody outside notices when this machine is gone altogether."""
    if url is None:
        return Finding(
            "warn",
            "heartbeat",
            "none: nobody outside notices when this machine is gone",
            "Set QUIETLINE_HEARTBEAT_URL to an address that raises an alarm when it is not asked.",
        )
    return Finding("ok", "heartbeat", "an address outside is asked every minute")


def what_cannot_be_seen() -> list[Finding]:
    """State what only the Twilio console shows. Never "ok": nobody looked."""
    return [
        Finding(
            "warn",
            "fallback URL",
            "cannot be seen from here",
            "In the Twilio console give each number a fallback URL on other infrastructure; "
            "without one our failure is spoken aloud to the caller (docs/how-to/twilio-number.md).",
        ),
        Finding(
            "warn",
            "account limits",
            "cannot be seen from here",
            "Look in the Twilio console: an account without an approved business profile takes two "
            "or three calls at once, and a trial account plays a message first.",
        ),
    ]


def is_loopback(host: str) -> bool:
    """Say whether ``host`` names this machine only."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def verdict(findings: Iterable[Finding]) -> int:
    """Return the command's exit code: 1 when anything failed."""
    return int(any(finding.level == "fail" for finding in findings))


def summary(findings: Sequence[Finding]) -> str:
    """Count the levels, worst first, in one line."""
    levels = [finding.level for finding in findings]
    return ", ".join(f"{levels.count(level)} {level}" for level in ("fail", "warn", "ok"))
