"""What is written to the outbox, for whom, and at what cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.integrations.models import Event, Reader
from levity.integrations.outbox import note_reader, recorder
from levity.integrations.rendering import as_json, public_id, site_names
from levity.integrations.retention import forget_events
from levity.ocpp import events
from levity.ocpp.decisions.forgetting import forget
from levity.ocpp.models import ChargePoint, IdTag, Site
from levity.ocpp.worker.housekeeping import forget_edges
from tests.ocpp.charger import NOW, CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def everything(settings: Any) -> None:
    """Somebody reads all types."""
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    read()


def read(*types: str) -> None:
    from django.utils import timezone

    note_reader("a test", types, timezone.now())
    events.refresh()


def told() -> list[tuple[str, dict[str, Any]]]:
    found = [(row.type, row.data) for row in Event.objects.order_by("id")]
    Event.objects.all().delete()
    return found


@pytest.mark.usefixtures("everything")
def test_a_charger_comes_says_who_it_is_and_goes() -> None:
    site, charger = CentralSystem(), Charger()
    site.take(charger.asks(), charger.connects(remote="192.168.1.20"))
    site.take(charger.boots())
    site.take(charger.leaves(1006))
    assert told() == [
        ("charger.connected", {"address": "192.168.1.20"}),
        ("charger.booted", {"vendor": "Vendor", "model": "Model"}),
        ("charger.disconnected", {"code": 1006}),
    ]


@pytest.mark.usefixtures("everything")
def test_a_socket_that_a_newer_one_has_replaced_is_no_disconnection() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    other = charger.again()
    site.connect(other)
    site.take(charger.leaves())
    assert [kind for kind, _ in told()] == ["charger.connected", "charger.connected"]


@pytest.mark.usefixtures("everything")
def test_chargers_of_a_dead_edge_are_disconnected() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    told()
    forget_edges([site.edge], NOW)
    assert told() == [("charger.disconnected", {"reason": "edge is gone"})]


@pytest.mark.usefixtures("everything")
def test_a_fault_is_told_when_it_comes_and_when_it_goes() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.take(charger.shows("Available"))
    told()
    fault = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted", "info": "TAG"}
    site.take(charger.calls("StatusNotification", fault))
    site.take(charger.calls("StatusNotification", fault))
    site.take(charger.shows("Available"))
    data = {"connector": 1, "status": "Faulted", "error_code": "GroundFailure"}
    assert told() == [
        ("connector.status", {**data, "before": "Available"}),
        ("charger.faulted", data),
        (
            "connector.status",
            {
                "connector": 1,
                "status": "Available",
                "before": "Faulted",
                "error_code": "NoError",
            },
        ),
        ("charger.recovered", {"connector": 1, "status": "Available"}),
    ]


@pytest.mark.usefixtures("everything")
def test_a_boot_ends_a_fault() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    fault = {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"}
    site.take(charger.calls("StatusNotification", fault))
    told()
    site.take(charger.boots())
    assert ("charger.recovered", {"connector": 1, "by": "boot"}) in told()


@pytest.mark.usefixtures("everything")
def test_a_session_from_its_start_to_its_end() -> None:
    garage = Site.objects.create(name="Garage")
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    ChargePoint.objects.update(site=garage)
    session = site.start(charger)
    told()
    charger.now = 60
    site.take(charger.measures(session, 3500))
    charger.now = 120
    site.take(charger.shows("SuspendedEV"))
    site.take(charger.stops(session))
    rows = list(Event.objects.order_by("id"))
    assert {row.site for row in rows} == {garage.pk}
    assert {row.identity for row in rows} == {"CP1"}
    start = {
        "session": session,
        "connector": 1,
        "started_at": wire(),
        "meter_start_wh": "1000",
    }
    found = dict(told())
    assert found["session.updated"] == {**start, "state": "active", "energy_wh": "2500"}
    assert found["session.suspended"]["by"] == "car"
    assert found["session.ended"] == {
        **start,
        "state": "stopped",
        "stopped_at": wire(3600),
        "meter_stop_wh": "6000",
        "energy_wh": "5000",
        "energy_source": "registers",
        "confidence": "high",
        "stop_reason": "Local",
    }


@pytest.mark.usefixtures("everything")
def test_a_running_session_is_told_at_most_once_a_minute() -> None:
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    session = site.start(charger)
    told()
    for second in range(10, 131, 10):
        charger.now = second
        site.take(charger.measures(session, 1000 + second, when=wire(second)))
    assert [data["energy_wh"] for _, data in told()] == ["10", "70", "130"]


@pytest.mark.usefixtures("everything")
def test_a_refused_tag_is_told_and_its_number_kept_apart() -> None:
    IdTag.objects.create(id_tag="LOST", status="Blocked")
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    ChargePoint.objects.update(authorization="known")
    told()
    site.take(charger.calls("Authorize", {"idTag": "LOST"}))
    site.take(charger.calls("Authorize", {"idTag": "NEVER-SEEN"}))
    rows = list(Event.objects.order_by("id"))
    assert [(row.type, row.id_tag, row.data) for row in rows] == [
        ("tag.refused", "LOST", {"status": "Blocked"}),
        ("tag.unknown", "NEVER-SEEN", {}),
        ("tag.refused", "NEVER-SEEN", {"status": "Invalid"}),
    ]
    blind = [as_json(row, site_names(), with_tags=False) for row in rows]
    assert "LOST" not in str(blind)
    seeing = as_json(rows[0], site_names(), with_tags=True)
    assert seeing["data"] == {"status": "Blocked", "id_tag": "LOST"}


@pytest.mark.usefixtures("everything")
def test_what_a_batch_undoes_was_never_told() -> None:
    """A frame that comes twice is answered twice and told once."""
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    start = charger.starts()
    site.take(start)
    site.take(start)
    assert [kind for kind, _ in told()].count("session.started") == 1


def test_only_types_that_somebody_reads_are_written(settings: Any) -> None:
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    read("charger.booted")
    site, charger = CentralSystem(), Charger()
    site.connect(charger)
    site.take(charger.boots(), charger.shows("Available"))
    assert [kind for kind, _ in told()] == ["charger.booted"]


def statements(site: CentralSystem, *frames: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        site.take(*frames)
    return len(captured)


def a_day(name: str) -> list[int]:
    """Statements of each batch of a day's messages."""
    site, charger = CentralSystem(), Charger(name)
    site.connect(charger)
    session = site.start(charger)
    counts = [statements(site, charger.boots())]
    charger.now = 60
    counts.append(statements(site, charger.calls("Heartbeat")))
    counts.append(statements(site, charger.shows("Charging")))
    counts.append(statements(site, charger.measures(session, 2000, when=wire(60))))
    counts.append(statements(site, charger.stops(session)))
    counts.append(statements(site, charger.starts(timestamp=wire(3600), meterStart=6000)))
    return counts


def test_nothing_is_asked_or_written_where_nobody_reads(settings: Any) -> None:
    settings.OCPP_EVENT_RECORDER = ""
    a_day("the first, for which caches are filled")
    without = a_day("CP2")
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    events.refresh()
    assert a_day("CP3") == without
    assert not Event.objects.exists()


def test_with_all_types_on_a_batch_has_at_most_one_statement_more(settings: Any) -> None:
    settings.OCPP_EVENT_RECORDER = ""
    a_day("the first, for which caches are filled")
    without = a_day("CP2")
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    read()
    with_all = a_day("CP3")
    more = [one - other for one, other in zip(with_all, without, strict=True)]
    assert set(more) <= {0, 1}
    assert Event.objects.filter(type="session.ended").exists()


def test_a_reader_that_stays_away_gets_no_more_rows() -> None:
    from django.utils import timezone

    note_reader("a test", (), timezone.now() - timedelta(days=8))
    assert recorder.wanted() == frozenset()
    note_reader("a test", (), timezone.now())
    assert recorder.wanted() == frozenset(events.TYPES)


def test_a_reader_is_noted_once_an_hour(django_assert_num_queries: Any) -> None:
    note_reader("a test", ("tag.unknown",), NOW)
    with django_assert_num_queries(1):
        note_reader("a test", ("tag.unknown",), NOW + timedelta(minutes=59))
    note_reader("a test", ("tag.refused",), NOW + timedelta(minutes=59))
    assert Reader.objects.get().types == ["tag.refused", "tag.unknown"]


@pytest.mark.usefixtures("everything")
def test_old_events_go_and_young_ones_stay() -> None:
    for days in (40, 31, 3):
        recorder.record(
            [events.Happened("charger.booted", NOW - timedelta(days=days), 1, "CP1", {})]
        )
    assert forget_events(NOW) == 2
    assert [row.at for row in Event.objects.all()] == [at() - timedelta(days=3)]


@pytest.mark.usefixtures("everything")
def test_an_id_tag_that_is_forgotten_is_forgotten_here_too() -> None:
    happened = events.Happened("tag.refused", NOW, 1, "CP1", {"status": "Blocked"}, "LOST", None)
    recorder.record([happened])
    said = forget("lost", None)
    assert said.counts["events"] == 1
    assert Event.objects.filter(type="tag.refused").get().id_tag == said.pseudonym


def test_ids_sort_as_events_do() -> None:
    ids = [public_id(Event(pk=pk, at=at(60 - pk))) for pk in (1, 9, 10, 255, 256)]
    assert ids == sorted(ids)
