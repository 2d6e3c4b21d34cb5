"""What the doctor looks at with its own eyes: disk, clock, folders, the way in.

Each function returns what was seen as a plain value, and an error as words; judging is left to
``config.doctor``. The store is not looked at here.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import os
import shutil
import ssl
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

REACH_SECONDS: Final = 5.0
_TIMEX_BYTES: Final = 1024
"""Larger than struct timex on every Linux; modes = 0 in its first word only reads."""


def free_bytes(folder: Path) -> int | None:
    """Return the room left for us at ``folder``, or None when it cannot be looked at."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def same_disk(one: Path, other: Path) -> bool:
    """Say whether two folders share a file system. A missing one shares with its parent."""
    return _device(one) == _device(other)


def _device(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.stat().st_dev


def write_error(folder: Path) -> str | None:
    """Write and sync a small file in ``folder`` and take it away. Returns why that failed."""
    probe = folder / f".doctor-{os.getpid()}"
    try:
        descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, b"doctor")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return error.strerror or type(error).__name__
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return None


def mode(file: Path) -> int | None:
    """Return the mode of ``file``, or None when there is none."""
    try:
        return file.stat().st_mode
    except OSError:
        return None


def adjtimex() -> int | None:
    """Ask the kernel whether a time service keeps the clock; None where it cannot be asked."""
    call = getattr(ctypes.CDLL(None), "adjtimex", None)
    if call is None:
        return None
    state = int(call(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if state < 0 else state


def newest_ahead_seconds(folder: Path) -> float:
    """Return by how much the newest file under ``folder`` is later than the clock."""
    newest = 0.0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                newest = max(newest, os.stat(os.path.join(root, name)).st_mtime)
    return max(0.0, newest - time.time())


def reach_error(url: str) -> str | None:
    """Ask ``url``/healthz. Returns why it did not answer 200, or None when it did."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=REACH_SECONDS)
    try:
        connection.request("GET", parts.path.rstrip("/") + "/healthz")
        status = connection.getresponse().status
    except ssl.SSLError as error:
        return f"TLS: {error.reason}"
    except OSError as error:
        return error.strerror or type(error).__name__
    except http.client.HTTPException as error:
        return type(error).__name__
    finally:
        connection.close()
    return None if status == http.HTTPStatus.OK else f"it answered {status}"
