"""A broker for the checks, and a wire to it."""

from collections.abc import Iterator

import pytest
from tests.rabbitmq import AMQP_URL, Queues, TcpProxy, isolated_queues


@pytest.fixture
def queues() -> Iterator[Queues]:
    """Queues of its own."""
    with isolated_queues() as made:
        yield made


@pytest.fixture
def wire() -> Iterator[TcpProxy]:
    """A wire to the broker that can be cut."""
    host, _, port = AMQP_URL.rpartition("@")[2].partition("/")[0].partition(":")
    proxy = TcpProxy(host, int(port or 5672))
    yield proxy
    proxy.close()
