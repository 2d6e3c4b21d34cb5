"""The outside heartbeat: somebody elsewhere is told every minute that all is well.

When it stops they call. It says nothing but that it came, and follows no redirect.
"""

import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

SECONDS: Final = 5.0


class Heartbeat:
    """Fetches one address."""

    def __init__(self, url: str, *, seconds: float = SECONDS) -> None:
        self._url = url
        self._seconds = seconds

    def __call__(self) -> None:
        """Fetch it. Raises ``OSError`` when it is not reached or refuses."""
        parts = urlsplit(self._url)
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=self._seconds)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("GET", target, headers={"User-Agent": "Quietline"})
            status = connection.getresponse().status
        except ssl.SSLError as error:
            raise OSError(0, f"TLS: {error.reason}") from error
        except http.client.HTTPException as error:
            raise OSError(0, type(error).__name__) from error
        finally:
            connection.close()
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise OSError(0, f"it answered {status}")
