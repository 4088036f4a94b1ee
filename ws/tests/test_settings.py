"""What an operator may set, and what he is told when it makes no sense."""

import ipaddress

import pytest

from levity_ws.edge.settings import EdgeSettings, SettingsError
from levity_ws.rpc.backoff import jittered_pause
from levity_ws.rpc.topology import (
    QueueDeclaration,
    broker_label,
    declarations,
    prefix_from_environ,
    url_from_environ,
)


def test_the_defaults_are_the_documented_ones() -> None:
    settings = EdgeSettings.from_environ({})
    assert (settings.host, settings.port) == ("0.0.0.0", 9000)
    assert (settings.max_frame_size, settings.ping_interval) == (8 * 1024 * 1024, 0.0)
    assert settings.edge_id != EdgeSettings.from_environ({}).edge_id


def test_edges_of_one_name_are_two_edges() -> None:
    """F-14: also where one is the other's successor, whose chargers are not on line with it."""
    first, second = (EdgeSettings.from_environ({"LEVITY_EDGE_ID": "edge-7"}) for _ in range(2))
    assert first.edge_id != second.edge_id
    assert first.edge_id.startswith("edge-7-")
    assert len(EdgeSettings.from_environ({"LEVITY_EDGE_ID": "x" * 64}).edge_id) <= 100


def test_every_variable_is_read() -> None:
    settings = EdgeSettings.from_environ(
        {
            "WS_HOST": "127.0.0.1",
            "WS_PORT": "0",
            "LEVITY_EDGE_ID": "edge-7",
            "LEVITY_MAX_CONNECTIONS": "10",
            "LEVITY_MAX_CONNECTIONS_PER_ADDRESS": "0",
            "LEVITY_MAX_FRAME_SIZE": "65536",
            "LEVITY_MAX_FRAME_RATE": "0",
            "LEVITY_MAX_CONNECT_RATE": "2",
            "LEVITY_ALLOWED_ORIGINS": "https://a.example, https://b.example",
            "LEVITY_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
            "LEVITY_METRICS_PUBLIC": "1",
            "LEVITY_OPEN_TIMEOUT": "5",
            "LEVITY_WRITE_TIMEOUT": "6",
            "LEVITY_PING_INTERVAL": "30.5",
            "LEVITY_PING_TIMEOUT": "7",
            "LEVITY_FRAME_GAP": "0",
            "LEVITY_HOLD_SECONDS": "8",
            "LEVITY_SPOOL": "/spool",
            "LEVITY_SPOOL_SIZE": "100000",
            "LEVITY_SPOOL_STARTS": "0",
            "LEVITY_SPOOL_AFTER": "1.5",
            "LEVITY_SPOOL_IDS": "9",
            "LEVITY_DATA_DIR": "is the backend's",
        }
    )
    assert settings == EdgeSettings(
        host="127.0.0.1",
        port=0,
        edge_id=settings.edge_id,
        max_connections=10,
        max_connections_per_address=0,
        max_frame_size=65536,
        max_frame_rate=0,
        max_connect_rate=2,
        allowed_origins=frozenset({"https://a.example", "https://b.example"}),
        trusted_proxies=(
            ipaddress.ip_network("10.0.0.0/8"),
            ipaddress.ip_network("192.0.2.1/32"),
        ),
        metrics_public=True,
        open_timeout=5.0,
        write_timeout=6.0,
        ping_interval=30.5,
        ping_timeout=7.0,
        frame_gap=0.0,
        hold=8.0,
        spool="/spool",
        spool_size=100_000,
        spool_starts=False,
        spool_after=1.5,
        spool_ids=9,
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WS_PORT", "nine"),
        ("WS_PORT", "65536"),
        ("WS_PORT", "-1"),
        ("LEVITY_MAX_CONNECTIONS", "0"),
        ("LEVITY_MAX_FRAME_SIZE", "128 KiB"),
        ("LEVITY_MAX_FRAME_RATE", "-1"),
        ("LEVITY_MAX_CONNECT_RATE", "often"),
        ("LEVITY_TRUSTED_PROXIES", "nginx"),
        ("LEVITY_METRICS_PUBLIC", "yes"),
        ("LEVITY_PING_INTERVAL", "-1"),
        ("LEVITY_HOLD_SECONDS", "nan"),
        ("LEVITY_EDGE_ID", "x" * 65),
        ("LEVITY_SPOOL_STARTS", "no"),
        ("LEVITY_SPOOL_IDS", "10001"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        EdgeSettings.from_environ({variable: value})


@pytest.mark.parametrize("url", ["nonsense", "http://x/", "amqp://", "amqp://u:s3cret@h:port/"])
def test_a_broken_broker_url_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="AMQP_URL") as caught:
        url_from_environ({"AMQP_URL": url})
    assert "s3cret" not in str(caught.value)


def test_a_broker_is_named_without_its_credentials() -> None:
    assert broker_label("amqp://user:s3cret@mq.example/site") == "amqp://mq.example:5672/site"
    assert broker_label("amqps://mq.example") == "amqps://mq.example:5671/"


def test_the_queues_are_named_by_the_prefix_and_declared_explicitly() -> None:
    """T-10, T-11."""
    assert declarations("site") == (
        QueueDeclaration("site.rpc.dead", {"x-queue-type": "quorum"}),
        QueueDeclaration(
            "site.rpc",
            {
                "x-queue-type": "quorum",
                "x-delivery-limit": 20,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": "site.rpc.dead",
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        ),
    )
    assert prefix_from_environ({}) == "levity"
    with pytest.raises(ValueError, match="LEVITY_AMQP_PREFIX"):
        prefix_from_environ({"LEVITY_AMQP_PREFIX": "a b"})


def test_pauses_are_jittered_from_nothing_and_bounded() -> None:
    ceilings = [jittered_pause(n, uniform=lambda _low, high: high) for n in (1, 2, 3, 10, 10_000)]
    assert ceilings == [0.5, 1.0, 2.0, 10.0, 10.0]
    assert jittered_pause(5, uniform=lambda low, _high: low) == 0.0
