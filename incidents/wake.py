"""Wake-ups between processes: "the journal has grown", "the store has changed".

Unix datagrams that never block: a reader that is busy or gone costs the writer
nothing, and a wake-up that is lost costs the reader one poll. Nothing is carried
here that is not also on disk, save the processes' own status beats.
"""

import contextlib
import os
import socket
import time
import weakref
from collections.abc import Callable
from pathlib import Path

JOURNAL = b"j"
STORE = b"s"
DRAINED = b"d"
"""Followed by JSON: how far each journal file is in the store."""

_LARGEST = 65536
_LOOK_EVERY = 1.0


class Ear:
    """A place to be woken at: a socket in the wake folder. Ready to read when ``fileno`` is."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._let_go = _opened(self, folder)
        self._name = f"{name}-{os.getpid()}-{time.monotonic_ns():x}.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(_address(self._folder, self._name))

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def receive(self) -> list[bytes]:
        """Take every datagram that is waiting; empty when there is none."""
        heard = []
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(self._socket.recv(_LARGEST))
        return heard

    def close(self) -> None:
        """Stop listening and take the socket out of the folder."""
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._name, dir_fd=self._folder)
        self._let_go()


class Bell:
    """Wakes every ear in a folder. Never blocks, never fails."""

    def __init__(self, folder: Path) -> None:
        self._folder, _ = _opened(self, folder)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._names: list[str] = []
        self._looked = -_LOOK_EVERY

    def ring(self, data: bytes) -> None:
        """Send ``data`` to every ear; one that is full or gone is passed over."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._names = [name for name in os.listdir(self._folder) if name.endswith(".sock")]
        for name in self._names:
            try:
                self._socket.sendto(data, _address(self._folder, name))
            except (ConnectionRefusedError, FileNotFoundError):
                # Its process was killed: nobody will ever read there again.
                self._looked = -_LOOK_EVERY
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=self._folder)
            except OSError:
                continue  # full or out of memory: the reader polls as well


def _opened(owner: object, folder: Path) -> tuple[int, Callable[[], object]]:
    """Open a folder, making it first, for as long as ``owner`` lives or until it is let go."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    return descriptor, weakref.finalize(owner, os.close, descriptor)


def _address(folder: int, name: str) -> str:
    # A socket's path may have 107 characters at most; a data folder's may have
    # more. The descriptor's own name is always short.
    return f"/proc/self/fd/{folder}/{name}"
