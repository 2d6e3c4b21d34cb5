"""An officer for tests: signed in at the real console, filling in its pages as a browser would."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Self
from urllib.parse import urlencode, urlsplit

from config.policy import load_policy
from config.settings import load
from console.doors import COOKIE
from incidents.accounts import Accounts
from incidents.sealed import Keys
from incidents.store import Store
from tests.running import ROOT
from tests.scenarios.conftest import Site


@dataclass(slots=True)
class Officer:
    """Somebody with a session at the console of ``site``."""

    site: Site
    name: str
    cookies: dict[str, str] = field(default_factory=dict)
    page: str = ""
    """What the console showed last."""

    @classmethod
    def signs_in(cls, site: Site, name: str, role: str, phone: str) -> Self:
        """Register somebody with a phone, and begin a session as the sign-in does."""
        printed = site.quietline.command("users", "add", name, "--role", role, "--phone", phone)
        settings = load(site.quietline.settings, ROOT)
        keys = Keys(settings.key_material)
        store = Store(settings.database_url, keys)
        accounts = Accounts(store.engine, keys, load_policy(settings).roles)
        user = accounts.check_password(name, printed.split()[-1])
        assert user is not None, "the command printed the password last"
        secret = accounts.begin_session(user, now=datetime.now(UTC))
        store.engine.dispose()
        return cls(site, name, {COOKIE: secret})

    def opens(self, path: str) -> str:
        """Open a page and return what it says."""
        self._asks("GET", path)
        return self.words

    def sends(self, action: str, **form: str) -> tuple[int, str]:
        """Send a form of the page that is open; returns the status and where it led."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.page)
        assert token is not None, self.words
        return self._asks("POST", action, urlencode({**form, "csrf_token": token[1]}))

    def value_of(self, name: str) -> str:
        """The value of a field of the page that is open."""
        found = re.search(rf'name="{name}" value="([^"]+)"', self.page)
        assert found is not None, self.words
        return unescape(found[1])

    @property
    def words(self) -> str:
        """What the page says, without its markup."""
        main = self.page.partition("<main")[2].partition("</main>")[0] or self.page
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())

    def _asks(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        place = urlsplit(self.site.quietline.console_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=15)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            self.page = answer.read().decode()
            for given in answer.headers.get_all("Set-Cookie") or ():
                name, _, rest = given.partition("=")
                self.cookies[name] = rest.partition(";")[0]
            return answer.status, answer.headers.get("Location") or ""
        finally:
            connection.close()
