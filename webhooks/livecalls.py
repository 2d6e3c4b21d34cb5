"""Orders to live calls through Twilio's own client: play a document, ring somebody, ask how it is.

The client is loaded at the first order, because it costs some 20 MB; it has neither a timeout
nor retries of its own, so both are here. It rings no emergency number, and a number or an
answer of Twilio's never stands in what it raises. The phone process must not import it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from callflow.lines import E164, EMERGENCY
from incidents.orders import CallOver, NotCarriedOut

if TYPE_CHECKING:
    from twilio.rest import Client

TWILIO: Final = "https://api.twilio.com"
TIMEOUT: Final = 4.0
"""Seconds one request may take."""
PAUSES: Final = (0.1, 0.4, 1.2)
"""Seconds before each further try, growing: a request is made once more than there are pauses."""
RING_SECONDS: Final = 20
"""How long somebody of ours is rung."""
AT_ONCE: Final = 16
"""Connections kept open: as many as there may be orders under way."""
_CALL_IS_OVER: Final = 21220
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500

Told = TypeVar("Told")


class TwilioCalls:
    """The live calls of one account. Implements ``incidents.orders.LiveCalls``.

    ``api_url``: where requests go that are meant for Twilio. ``public_url``: stands before every
    path Twilio is told to fetch. ``pause`` waits; tests give another.
    """

    def __init__(
        self,
        account: str,
        token: str,
        api_url: str,
        public_url: str,
        *,
        timeout: float = TIMEOUT,
        pauses: Sequence[float] = PAUSES,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._account = account
        self._token = token
        self._api_url = api_url.rstrip("/")
        self._public_url = public_url
        self._timeout = timeout
        self._pauses = tuple(pauses)
        self._pause = pause
        self._lock = threading.Lock()
        self._made: Client | None = None

    def play(self, call_sid: str, path: str) -> None:
        """Have a live call fetch the document at ``path``. Raises ``CallOver``, ``NotCarriedOut``.

        Safe to repeat: the same address brings the same document, and what is pressed on it is
        recorded once.
        """
        url = self._public_url + path
        self._ask(lambda client: client.calls(call_sid).update(url=url, method="POST"))

    def ring(self, to: str, caller_id: str, path: str) -> str:
        """Ring somebody of ours and play them the document at ``path``; returns the call's SID.

        Raises ``NotCarriedOut``, also for an emergency number.
        """
        if EMERGENCY.match(to) or EMERGENCY.match(caller_id):
            raise NotCarriedOut("an emergency number is never called")
        if not E164.match(to):
            raise NotCarriedOut("what was to be rung is no phone number")
        if not E164.match(caller_id):
            raise NotCarriedOut("the line's own number is not known, so nobody can be rung from it")
        url = self._public_url + path

        def create(client: "Client") -> str:
            made = client.calls.create(
                to=to, from_=caller_id, url=url, method="POST", timeout=RING_SECONDS
            )
            return str(made.sid)

        try:
            return self._ask(create)
        except CallOver as error:
            raise NotCarriedOut("Twilio does not know this account or address") from error

    def status(self, call_sid: str) -> str:
        """Return the call's status at Twilio. Raises ``CallOver`` and ``NotCarriedOut``."""
        return str(self._ask(lambda client: client.calls(call_sid).fetch().status))

    def load(self) -> None:
        """Load Twilio's client now, so that the first order need not wait for it."""
        self._client()

    def _ask(self, request: Callable[["Client"], Told]) -> Told:
        """Make a request, again after a pause where that may help."""
        from requests.exceptions import RequestException
        from twilio.base.exceptions import TwilioException, TwilioRestException

        client = self._client()
        problem = ""
        for pause in (*self._pauses, None):
            try:
                return request(client)
            except TwilioRestException as error:
                if error.code == _CALL_IS_OVER or error.status == _NOT_FOUND:
                    raise CallOver from None
                code = f", error {error.code}" if error.code else ""
                problem = f"Twilio answered {error.status}{code}"
                if error.status != _TOO_MANY and error.status < _SERVER_ERROR:
                    raise NotCarriedOut(problem) from None
            except RequestException as error:
                problem = f"Twilio could not be reached ({type(error).__name__})"
            except (TwilioException, ValueError) as error:
                # An answer that is no JSON, as a proxy's error page is.
                problem = f"Twilio's answer could not be read ({type(error).__name__})"
            if pause is not None:
                self._pause(pause)
        raise NotCarriedOut(f"{problem}, {len(self._pauses) + 1} times")

    def _client(self) -> "Client":
        with self._lock:
            if self._made is None:
                from twilio.rest import Client

                self._made = Client(
                    self._account, self._token, http_client=_elsewhere(self._api_url, self._timeout)
                )
            return self._made


def _elsewhere(api_url: str, timeout: float) -> Any:
    """Return Twilio's HTTP client, sending what is meant for Twilio to ``api_url``."""
    from requests.adapters import HTTPAdapter
    from twilio.http.http_client import TwilioHttpClient

    class Elsewhere(TwilioHttpClient):  # type: ignore[misc]  # the package is not typed
        def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
            if url.startswith(TWILIO):
                url = api_url + url.removeprefix(TWILIO)
            return super().request(method, url, *args, **more)

    made = Elsewhere(timeout=timeout)
    for scheme in ("https://", "http://"):
        made.session.mount(scheme, HTTPAdapter(pool_maxsize=AT_ONCE, max_retries=0))
    return made
