"""/healthz, /readyz and /metrics: who may see them, and what they say."""

import json
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from levity.monitoring.health import checks, middleware
from levity.monitoring.health.access import shown_to
from levity.monitoring.health.worker_port import WorkerPort
from levity.monitoring.metrics.counters import WEB
from levity.monitoring.metrics.exposition import exposition
from levity.monitoring.metrics.site_state import State
from levity.monitoring.models import Worker
from levity.ocpp.models import ChargePoint, Command, Transaction
from tests.ocpp.charger import NOW
from tests.system.site import http_get

pytestmark = pytest.mark.django_db
PAGES = ("/healthz", "/readyz", "/metrics")


def a_worker(**report: Any) -> None:
    Worker.objects.create(id="w", last_seen_at=timezone.now(), report={"connected": True, **report})


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("outside", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "192.168.1.7"}, 200),
        ({"REMOTE_ADDR": "8.8.8.8"}, 404),
        ({"HTTP_X_FORWARDED_FOR": "192.168.1.7"}, 404),
        ({"HTTP_FORWARDED": "for=192.168.1.7"}, 404),
        ({"HTTP_X_REAL_IP": "127.0.0.1"}, 404),
        # By whatever name a container is called; and never a redirect to TLS.
        ({"HTTP_HOST": "be:8000"}, 200),
    ],
)
def test_strangers_find_no_status_pages(
    path: str, outside: dict[str, str], status: int, client: Client, settings: Any
) -> None:
    """E-20: neither from another network nor through a proxy."""
    settings.SECURE_SSL_REDIRECT = True
    a_worker()
    assert client.get(path, **outside).status_code == status
    assert client.post(path, **outside).status_code == 404


def test_a_token_guards_the_metrics_wherever_they_are_asked_from(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-20."""
    monkeypatch.setenv("LEVITY_METRICS_TOKEN", "s3cret")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer wrong").status_code == 404
    outside = {"REMOTE_ADDR": "8.8.8.8", "HTTP_X_FORWARDED_FOR": "8.8.8.8"}
    answer = client.get("/metrics", HTTP_AUTHORIZATION="Bearer s3cret", **outside)
    assert answer.status_code == 200
    assert client.get("/healthz").status_code == 200


def test_ready_says_what_is_missing(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.content == (
        b"worker: none reported within a minute: is `levity consume_rpc_queue` running?\n"
    )
    assert client.get("/healthz").content == b"ok\n"
    a_worker(connected=False)
    answer = client.get("/readyz", HTTP_ACCEPT="application/json")
    assert json.loads(answer.content) == {
        "status": "unavailable",
        "checks": {
            "database": "ok",
            "migrations": "ok",
            "worker": "ok",
            "broker": "no worker is connected to it",
        },
    }
    Worker.objects.update(report={"connected": True})
    assert client.get("/readyz").content == b"ok\n"


def test_a_migration_that_is_not_applied_is_told(client: Client) -> None:
    checks._up_to_date.clear()
    a_worker()
    with connection.cursor() as cursor:
        # With them go the former ones, which the first one replaces.
        cursor.execute("DELETE FROM django_migrations WHERE app = 'operation'")
    count = sum(app == "operation" for app, _ in MigrationLoader(None).disk_migrations)
    try:
        answer = client.get("/readyz")
    finally:
        checks._up_to_date.clear()
    assert answer.status_code == 503
    assert count > 0
    told = f"migrations: {count} migrations are not applied: run `levity migrate`"
    assert told.encode() in answer.content


def test_a_database_that_is_away_is_told_without_an_address() -> None:
    from django.db import OperationalError

    def away() -> str:
        raise OperationalError("connection to server at 10.0.0.1 failed\npassword=s3cret")

    answer = checks.ready({"database": away, "migrations": lambda: "", "worker": lambda: ""})
    assert not answer.is_well
    _, body = answer.body(as_json=False)
    assert b"s3cret" not in body
    assert b"migrations: unknown: the database does not answer" in body


@pytest.mark.parametrize(
    ("peer", "token", "named"),
    [
        ("127.0.0.1", "", True),
        ("::1", "", True),
        ("192.168.1.30", "", False),
        ("192.168.1.30", "s3cret", True),
    ],
)
def test_the_network_reads_no_names_of_charge_points_from_the_metrics(
    peer: str, token: str, named: bool, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C7: without a key, the name is all that one needs to speak for a charger."""
    monkeypatch.setenv("LEVITY_METRICS_TOKEN", token)
    ChargePoint.objects.create(identity="GARAGE-1")
    figures = exposition([State()])
    assert b"GARAGE-1" in figures
    shown = shown_to({"REMOTE_ADDR": peer}, figures)
    assert (b"GARAGE-1" in shown) is named
    assert b"levity_charge_points 1.0" in shown
    more = {"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {}
    answer = client.get("/metrics", REMOTE_ADDR=peer, **more)
    assert answer.status_code == 200
    assert (b"GARAGE-1" in answer.content) <= named


def test_the_state_of_a_large_site_takes_no_more_statements_than_a_small_one() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            list(State().collect())
        return len(queries)

    few = statements()
    chargers = ChargePoint.objects.bulk_create(
        ChargePoint(identity=f"CP{number}") for number in range(200)
    )
    for charger in chargers[:20]:
        charger.connectors.create(number=1, status="Faulted")
        Command.objects.create(charge_point=charger, action="Reset", state="refused")
        Transaction.objects.create(
            charge_point=charger, connector=1, started_at=NOW, meter_start=0, energy=1500
        )
    assert statements() == few <= 20


def test_the_database_is_asked_for_a_fiftieth_of_the_time_at_most() -> None:
    now = [100.0]
    state = State(clock=lambda: now[0])
    list(state.collect())
    with CaptureQueriesContext(connection) as queries:
        now[0] += 9.9
        list(state.collect())
    assert len(queries) == 0
    with CaptureQueriesContext(connection) as queries:
        now[0] += 0.2
        list(state.collect())
    assert len(queries) > 5


def test_the_state_counts_what_there_is() -> None:
    one = ChargePoint.objects.create(identity='C"P\\1', last_seen_at=NOW)
    one.connectors.create(number=1, status="Faulted", error_code="GroundFailure")
    one.connectors.create(number=2, status="of its own making")
    Transaction.objects.create(
        charge_point=one, connector=1, started_at=NOW, meter_start=0, energy=1500, power=7000
    )
    # What can't be true is in no total.
    Transaction.objects.create(
        charge_point=one,
        connector=2,
        state="stopped",
        started_at=NOW,
        meter_start=0,
        energy=910_031_000,
        flags="implausible-energy",
    )
    a_worker(queue=4, dead_letters=1)
    families = text_string_to_metric_families(exposition([State()]).decode())
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }
    for key, value in {
        ("levity_charge_points",): 1,
        ("levity_charge_point_online", 'C"P\\1', ""): 0,
        ("levity_connectors", "Faulted"): 1,
        ("levity_connectors", "other"): 1,
        ("levity_connector_fault", 'C"P\\1', "1"): 1,
        ("levity_transactions_active",): 1,
        ("levity_charge_point_power_watts", 'C"P\\1'): 7000,
        ("levity_charge_point_energy_watthours_total", 'C"P\\1'): 1500,
        ("levity_charge_point_sessions_not_counted", 'C"P\\1'): 1,
        ("levity_broker_queue_batches",): 4,
        ("levity_broker_dead_letters",): 1,
        ("levity_workers",): 1,
    }.items():
        assert samples[key] == value, key


def test_requests_are_counted_by_method_and_status(client: Client) -> None:
    def counted() -> dict[tuple[str, ...], float]:
        return {
            tuple(sample.labels.values()): sample.value
            for sample in next(iter(WEB[0].collect())).samples
        }

    before = counted()
    client.get("/admin/login/")
    client.generic("BREW", "/nowhere")
    after = counted()
    assert after["GET", "200"] == before.get(("GET", "200"), 0) + 1
    assert after["other", "404"] == before.get(("other", "404"), 0) + 1
    assert middleware.PAGES == PAGES


def test_a_worker_answers_on_a_port_of_its_own() -> None:
    said = [checks.Answer(True, {}), checks.Answer(False, {"broker": "no connection to it"})]
    port = WorkerPort("127.0.0.1", 0, lambda: said.pop(0))
    try:
        assert http_get(port.port, "/healthz")[::2] == (200, b"ok\n")
        assert http_get(port.port, "/readyz")[::2] == (200, b"ok\n")
        assert http_get(port.port, "/readyz")[::2] == (503, b"broker: no connection to it\n")
        status, kind, body = http_get(port.port, "/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert b"levity_worker_batches_total" in body
        assert http_get(port.port, "/metrics", **{"X-Forwarded-For": "8.8.8.8"})[0] == 404
        assert http_get(port.port, "/admin/")[0] == 404
    finally:
        port.close()
