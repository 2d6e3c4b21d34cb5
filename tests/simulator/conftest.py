"""A product with fixed answers, and an exchange that calls it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from simulator.exchange import Exchange
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
    exchange.close()
    assert product.unsigned == [], "every request is signed as the library demands"
