"""A product with fixed answers, and an exchange that calls it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from twilio.rest import Client

from simulator.exchange import Exchange
from tests.simulator.client import Elsewhere
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product, ServedProduct


@pytest.fixture(scope="session")
def _served() -> Iterator[ServedProduct]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    served = ServedProduct()
    yield served
    served.close()


@pytest.fixture
def product(_served: ServedProduct) -> Product:
    """A product that has answered nothing yet."""
    product = _served.product
    product.answers.clear()
    product.posted.clear()
    product.unsigned.clear()
    return product


@pytest.fixture
def exchange(product: Product) -> Iterator[Exchange]:
    """An exchange whose calls go to the product."""
    exchange = Exchange(product.url, PUBLIC_URL, TOKEN, ACCOUNT, serve_rest=True)
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    exchange.close()
    assert product.unsigned == [], "every request is signed as the library demands"


@pytest.fixture
def client(exchange: Exchange) -> Client:
    """Twilio's client with the stand-in behind it."""
    return Client(ACCOUNT, TOKEN, http_client=Elsewhere(exchange.rest_url))
