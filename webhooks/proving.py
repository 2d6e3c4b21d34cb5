"""The watchman's proof call: a silent call made through the public address, signed as Twilio signs.

It goes the way of every caller, through whatever stands before the phone side, and is marked so
that nobody takes it for one. It rings nobody.
"""

import base64
import hashlib
import hmac
import http.client
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from incidents.proof import PARAMETER, NotProved, proof_of
from incidents.sealed import Keys

SECONDS: Final = 5.0
_LARGEST: Final = 65_536


def sign(token: str, url: str, params: Mapping[str, str]) -> str:
    """Return the signature of a form posted to ``url``, as the header ``X-Twilio-Signature``."""
    text = url + "".join(f"{name}{params[name]}" for name in sorted(params))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class Proving:
    """Makes proof calls to one site. ``to``: the number that is called, one of our own lines."""

    def __init__(
        self,
        public_url: str,
        token: str,
        account: str,
        keys: Keys,
        to: str,
        *,
        seconds: float = SECONDS,
    ) -> None:
        self._public_url = public_url
        self._token = token
        self._account = account
        self._keys = keys
        self._to = to
        self._seconds = seconds

    def prove(self, call_sid: str) -> None:
        """Make the call and end it. Raises ``NotProved``."""
        call = {
            "AccountSid": self._account,
            "ApiVersion": "2010-04-01",
            "CallSid": call_sid,
            "Direction": "inbound",
            "From": "anonymous",
            "To": self._to,
            PARAMETER: proof_of(self._keys, call_sid),
        }
        status, answer = self._post("/voice/incoming", {**call, "CallStatus": "ringing"})
        if status != http.HTTPStatus.OK or b"<Response" not in answer:
            raise NotProved(f"the phone side answered a proof call with {status}")
        ended = {**call, "CallStatus": "completed", "CallDuration": "0"}
        status, _ = self._post("/voice/status", ended)
        if status != http.HTTPStatus.NO_CONTENT:
            raise NotProved(f"the phone side answered the end of a proof call with {status}")

    def _post(self, path: str, params: Mapping[str, str]) -> tuple[int, bytes]:
        url = self._public_url + path
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = connect(parts.hostname or "", parts.port, timeout=self._seconds)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(self._token, url, params),
        }
        try:
            connection.request("POST", parts.path, urlencode(params), headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST)
        except ssl.SSLError as error:
            raise NotProved(f"the public address fails with TLS ({error.reason})") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise NotProved(f"the public address is not reached ({reason})") from error
        except http.client.HTTPException as error:
            raise NotProved(f"the public address fails ({type(error).__name__})") from error
        finally:
            connection.close()
