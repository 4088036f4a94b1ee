"""Alerts: raised once, ended when it is resolved, told to those who want to know."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.monitoring import lease
from levity.monitoring.alerts import conditions, raise_and_end
from levity.monitoring.alerts.conditions import disk_space
from levity.monitoring.alerts.conditions.finding import Finding
from levity.monitoring.alerts.growth import Growth
from levity.monitoring.alerts.quiet_hours import awake_at
from levity.monitoring.alerts.recipients import Route, from_environ
from levity.monitoring.kinds import KINDS
from levity.monitoring.models import Alert, AlertDelivery, Worker
from levity.monitoring.worker_threads import alerts_round
from levity.ocpp.models import (
    ChargePoint,
    Command,
    FailedMessage,
    MissedChange,
    QuarantinedMessage,
    SecurityEvent,
)
from levity.ocpp.models import Site as SiteRow
from tests.ocpp.charger import NOW, CentralSystem, Charger, at, wire

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
ALL = Route(name="all", emails=("a@example.net",))
# OCPP 1.6 security whitepaper, 8.
EVENTS = (
    *("FirmwareUpdated", "SettingSystemTime", "StartupOfTheDevice", "ResetOrReboot"),
    *("SecurityLogWasCleared", "MemoryExhaustion", "TamperDetectionActivated"),
    "FailedToAuthenticateAtCentralSystem",
    "CentralSystemFailedToAuthenticate",
    "ReconfigurationOfSecurityParameters",
    "InvalidMessages",
    "AttemptedReplayAttacks",
    "InvalidFirmwareSignature",
    "InvalidFirmwareSigningCertificate",
    "InvalidCentralSystemCertificate",
    "InvalidChargePointCertificate",
    "InvalidTLSVersion",
    "InvalidTLSCipherSuite",
)


def charger(identity: str = "CP1", **values: Any) -> ChargePoint:
    return ChargePoint.objects.create(identity=identity, **values)


def found(kind: str = "charger-fault", subject: str = "1", **values: Any) -> Finding:
    return Finding(kind, subject, **{"summary": "something is wrong", **values})


def seen(*findings: Finding, now: datetime = NOW, routes: tuple[Route, ...] = (ALL,)) -> None:
    raise_and_end.record(raise_and_end.Look(list(findings)), routes, now)


def told() -> list[tuple[str, str]]:
    return list(AlertDelivery.objects.values_list("notice", "state"))


def test_what_stays_wrong_is_one_alert_and_told_once() -> None:
    for seconds in (0, 15, 30):
        seen(found(), now=at(seconds))
    alert = Alert.objects.get()
    assert (alert.raised_at, alert.last_at, alert.ended_at) == (at(0), at(30), None)
    assert told() == [("raised", "queued")]


def test_it_is_over_when_it_has_been_well_for_a_minute_and_that_is_told_too() -> None:
    seen(found())
    AlertDelivery.objects.update(state="sent")
    seen(now=at(59))
    assert Alert.objects.get().ended_at is None
    seen(now=at(60))
    assert Alert.objects.get().ended_at == at(60)
    assert told() == [("raised", "sent"), ("recovered", "queued")]


def test_a_fault_that_comes_and_goes_is_one_alert() -> None:
    for seconds in range(0, 300, 30):
        seen(*([found()] if seconds % 60 else []), now=at(seconds))
    assert Alert.objects.count() == 1
    assert told() == [("raised", "queued")]


def test_what_comes_back_after_it_was_over_is_a_new_alert() -> None:
    seen(found())
    seen(now=at(60))
    seen(found(), now=at(120))
    assert list(Alert.objects.values_list("ended_at", flat=True)) == [None, at(60)]


def test_what_gets_worse_is_told_again() -> None:
    seen(found("disk", severity="warning"))
    seen(found("disk", severity="critical"), now=at(15))
    seen(found("disk", severity="critical"), now=at(30))
    assert Alert.objects.get().severity == "critical"
    assert told() == [("raised", "queued"), ("worse", "queued")]


def test_what_merely_happened_is_told_once_and_never_well_again() -> None:
    happened = found("command-failed", at=at(-5))
    for seconds in (0, 15, 3600):
        seen(happened, now=at(seconds))
    seen(now=at(7200))
    alert = Alert.objects.get()
    assert (alert.raised_at, alert.ended_at) == (at(-5), at(0))
    assert told() == [("raised", "queued")]


def test_a_check_that_fails_ends_no_alert() -> None:
    seen(found("disk"))
    raise_and_end.record(raise_and_end.Look([], unknown={"disk"}), (ALL,), at(600))
    assert Alert.objects.get().ended_at is None


def test_nothing_configured_means_that_alerts_only_stand_in_the_admin() -> None:
    seen(found(), routes=())
    assert (Alert.objects.count(), AlertDelivery.objects.count()) == (1, 0)


def test_each_site_has_its_own_recipients() -> None:
    north, south = (SiteRow.objects.create(name=name) for name in ("north", "south"))
    only_north = Route(name="n", site=north.pk, emails=("n@example.net",))
    critical = Route(name="c", least_severity="critical", emails=("c@example.net",))
    disks = Route(name="d", kinds=frozenset({"disk"}), emails=("d@example.net",))
    seen(
        found(subject="1", site=north.pk),
        found(subject="2", site=south.pk),
        found("disk", "/", severity="critical"),
        routes=(only_north, critical, disks),
    )
    by_target = AlertDelivery.objects.order_by("target").values_list("target", "alert__key")
    assert list(by_target) == [
        ("c@example.net", "disk:/"),
        ("d@example.net", "disk:/"),
        ("n@example.net", "charger-fault:1"),
    ]


def test_the_statements_of_a_round_do_not_grow_with_the_alerts() -> None:
    def statements(count: int, now: datetime) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            seen(*(found(subject=str(number)) for number in range(count)), now=now)
        return len(queries)

    few = statements(3, at(0))
    Alert.objects.all().delete()
    # SQLite takes some 100 rows in one statement.
    assert statements(300, at(0)) <= few + 8
    assert statements(300, at(15)) <= few + 2


@pytest.mark.parametrize(
    ("here", "until"),
    [
        ("2026-11-22T21:59:59", None),
        ("2026-11-22T22:00:00", "2026-11-23T07:00:00"),
        ("2026-11-23T03:00:00", "2026-11-23T07:00:00"),
        ("2026-11-23T07:00:00", None),
        # The night in which the clock is set forward, and the one in which it is set back.
        ("2026-03-28T23:30:00", "2026-03-29T07:00:00"),
        ("2026-10-24T23:30:00", "2026-10-25T07:00:00"),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(here: str, until: str | None) -> None:
    now = datetime.fromisoformat(here).replace(tzinfo=BERLIN)
    expected = datetime.fromisoformat(until).replace(tzinfo=BERLIN) if until else now
    assert awake_at(now, time(22), time(7), BERLIN) == expected


def test_a_warning_waits_for_the_morning_of_its_site_and_a_critical_alert_does_not() -> None:
    """NOW is 12:00 UTC: noon for the server, 21:00 in Tokyo."""
    tokyo = SiteRow.objects.create(name="tokyo", time_zone="Asia/Tokyo")
    route = Route(name="r", emails=("a@b.net",), quiet_from=time(20), quiet_until=time(6))
    seen(
        found(subject="1", site=tokyo.pk),
        found(subject="2"),
        found("disk", "/", severity="critical", site=tokyo.pk),
        routes=(route,),
    )
    due = dict(AlertDelivery.objects.values_list("alert__key", "not_before"))
    assert due == {
        "charger-fault:1": at(9 * 3600),
        "charger-fault:2": at(0),
        "disk:/": at(0),
    }


def test_what_is_well_again_before_the_morning_wakes_nobody_at_all() -> None:
    route = Route(name="r", emails=("a@b.net",), quiet_from=time(11), quiet_until=time(14))
    seen(found(), routes=(route,))
    seen(now=at(600), routes=(route,))
    assert told() == [("raised", "skipped")]


def test_a_fault_is_found_and_names_no_secret_sign_of_the_charger() -> None:
    one = charger("GARAGE-1", name="Left")
    one.connectors.create(number=1, status="Available", error_code="NoError")
    two = one.connectors.create(
        number=2, status="Faulted", error_code="GroundFailure", info="bad\r\nSubject: \x1b[31mX"
    )
    [finding] = conditions.charger_faults()
    assert finding == Finding(
        "charger-fault",
        str(two.pk),
        "connector 2 of Left (GARAGE-1) reports GroundFailure",
        r"bad\r\nSubject: \x1b[31mX",
        charge_point=one.pk,
    )


def test_a_charger_is_missed_after_ten_minutes_and_not_before() -> None:
    site, wire_end = CentralSystem(), Charger()
    site.connect(wire_end)
    wire_end.now = 60
    site.take(wire_end.leaves())
    assert conditions.chargers_offline(at(660)) == []
    [finding] = conditions.chargers_offline(at(661))
    assert finding.summary == "CP1 is offline for more than 10 minutes"
    site.connect(wire_end.again())
    assert conditions.chargers_offline(at(661)) == []


def test_a_command_that_fails_is_found_once_an_hour() -> None:
    one = charger()
    for number, state in enumerate(("timed_out", "refused", "answered", "cancelled")):
        Command.objects.create(
            charge_point=one, action="Reset", state=state, finished_at=at(number), result_status=""
        )
    Command.objects.create(charge_point=one, action="Reset", state="failed", finished_at=at(-4000))
    findings = conditions.failed_commands(at(60))
    assert [item.summary for item in findings] == ["Reset to CP1: no answer in time"]
    seen(*findings)
    Command.objects.create(charge_point=one, action="Reset", state="failed", finished_at=at(100))
    Command.objects.create(charge_point=one, action="Reset", state="failed", finished_at=at(3700))
    seen(*conditions.failed_commands(at(3700)), now=at(3700))
    assert Alert.objects.count() == 2


def test_the_seven_critical_security_events_alert_and_all_eighteen_are_kept() -> None:
    """S-12."""
    assert len(set(EVENTS)) == 18
    site, wire_end = CentralSystem(), Charger()
    site.connect(wire_end)
    for event in EVENTS:
        payload = {"type": event, "timestamp": wire(), "techInfo": "x"}
        site.result(wire_end.calls("SecurityEventNotification", payload))
    assert set(SecurityEvent.objects.values_list("type", flat=True)) == set(EVENTS)
    SecurityEvent.objects.update(received_at=NOW)
    findings = conditions.security_events(at(30))
    assert sorted(item.summary for item in findings) == sorted(
        f"CP1: {event}"
        for event in (
            *("FirmwareUpdated", "SettingSystemTime", "StartupOfTheDevice", "ResetOrReboot"),
            *("SecurityLogWasCleared", "MemoryExhaustion", "TamperDetectionActivated"),
        )
    )
    seen(*findings)
    assert Alert.objects.filter(kind="security-event").count() == 7


def test_the_alarm_for_transaction_ids_comes_at_80_percent(settings: Any) -> None:
    """T-20: the sequence counts, not the rows."""
    last = conditions.LAST_TRANSACTION_ID

    def given(number: int) -> list[str]:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence('ocpp_transaction', 'id'), %s)", [number]
                )
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'ocpp_transaction'")
                cursor.execute(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ('ocpp_transaction', %s)",
                    [number],
                )
        return [item.summary for item in conditions.transaction_ids()]

    said = "80 % of the transaction ids are used; 429,496,729 left"
    try:
        assert given(1) == []
        assert given(int(last * 0.7999)) == []
        assert given(int(last * 0.8) + 1) == [said]
    finally:
        given(1)  # no rollback takes a sequence of Postgres back
    assert KINDS["transaction-ids"].severity == "critical"


def test_a_disk_is_a_warning_at_90_percent_and_critical_at_95() -> None:
    def used(percent: int) -> list[tuple[str, str]]:
        findings, free = conditions.disks(lambda _path: (100, percent, 100 - percent))
        assert set(free.values()) == {(100 - percent) / 100}
        return [(item.summary, item.severity) for item in findings][:1]

    assert used(89) == []
    assert used(90) == [("the disk at / is 90 % full, 0.0 GB are left", "warning")]
    assert used(95) == [("the disk at / is 95 % full, 0.0 GB are left", "critical")]


def test_a_disk_that_fills_is_said_days_before_it_is_full() -> None:
    """C1: twenty sockets fill a 32 GB card in eight minutes, one in three hours."""
    left = Growth()
    gigabyte = 1e9
    assert left.days_left("/", 0, 32 * gigabyte) is None
    assert left.days_left("/", 60, 31 * gigabyte) is None
    # A backup takes room at once and gives it back.
    assert left.days_left("/", 3 * 3600, 31 * gigabyte) is None
    assert left.days_left("/", 12 * 3600, 30 * gigabyte) == pytest.approx(7.5)
    assert left.days_left("/", 13 * 3600, 33 * gigabyte) is None
    fast = Growth()
    fast.days_left("/", 0, 32 * gigabyte)
    days = fast.days_left("/", 2000, 26 * gigabyte)
    assert days is not None
    assert days * 24 < 3


def test_the_days_that_are_left_are_an_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_space, "growth", Growth())

    def seen(hours: float, free: float) -> list[tuple[str, str]]:
        findings, _ = conditions.disks(lambda _: (100e9, 0, free), lambda: hours * 3600)
        return [(item.summary, item.severity) for item in findings][:1]

    assert seen(0, 80e9) == []
    assert seen(12, 70e9) == [
        ("the disk at / will be full in 4 days at the current rate, 70.0 GB are left", "warning")
    ]
    assert seen(24, 20e9) == [
        ("the disk at / will be full in 8 hours at the current rate, 20.0 GB are left", "critical")
    ]


GB, HOURS = 1e9, 3600.0


def a_disk(free: float, *takes: float, looks: int = 4) -> float | None:
    """Days left on a disk of which each hour takes so much, looked at several times an hour."""
    left = Growth()
    for hour, taken in enumerate(takes):
        for look in range(looks):
            left.days_left("/", (hour + look / looks) * HOURS, free - taken * look / looks)
        free -= taken
    return left.days_left("/", len(takes) * HOURS, free)


@pytest.mark.parametrize("hours", [6, 23, 24, 25, 47, 100, 400])
def test_the_days_left_are_right_where_a_disk_fills_at_a_known_rate(hours: int) -> None:
    """A third of a gigabyte an hour, 8 GB a day."""
    days = a_disk(hours / 3 * GB + 40 * GB, *[GB / 3] * hours)
    assert days == pytest.approx(5.0)


def test_a_charger_that_begins_to_say_too_much_shows_within_a_day() -> None:
    """A week in which hardly anything was written says nothing of now."""
    quiet, loud = [0.01 * GB] * 150, [0.5 * GB] * 24
    free = sum(quiet) + sum(loud) + 24 * GB
    assert a_disk(free, *quiet, *loud) == pytest.approx(2.0)


def test_what_an_update_takes_in_one_go_does_not_go_on() -> None:
    """It was said to be full in days, for two days."""
    update = [0.001 * GB] * 3 + [4 * GB] + [0.001 * GB] * 4
    days = a_disk(10 * GB, *update)
    assert days is not None
    assert days > 200
    assert a_disk(10 * GB, *update, *[0.0] * 30) is None or days > 200


def test_a_backup_each_night_goes_on_though_it_takes_no_time() -> None:
    night = [0.0] * 3 + [2 * GB] + [0.0] * 20
    days = a_disk(24 * GB, *night * 7)
    assert days == pytest.approx(5.0, rel=0.01)


def test_what_is_taken_by_day_and_freed_by_night_does_not_fill_a_disk() -> None:
    day = [0.1 * GB] * 23 + [-2.3 * GB]
    for hours in range(24, 24 * 8):
        days = a_disk(20 * GB, *(day * 9)[:hours], looks=1)
        assert days is None or days > 14, hours


def test_a_disk_that_is_nearly_full_says_the_hours_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 91 % it was a mere warning, however little time was left."""
    monkeypatch.setattr(disk_space, "growth", Growth())
    for hour in range(7):
        free = (15 - hour) * GB
        findings, _ = conditions.disks(lambda _, f=free: (100 * GB, 0, f), lambda h=hour: h * HOURS)
    assert findings[0].severity == "critical"
    assert findings[0].summary == (
        "the disk at / is 91 % full and will be full in 9 hours at the current rate, "
        "9.0 GB are left"
    )


def test_quarantine_and_failed_messages_wait_for_somebody() -> None:
    one = charger()
    for number in range(2):
        QuarantinedMessage.objects.create(
            charge_point=one, action="StopTransaction", payload_hash=str(number), received_at=NOW
        )
    FailedMessage.objects.create(identity="CP1", connection=uuid4(), seq=1, received_at=NOW)
    for name in ("my.bill", "my.bill", "my.crm"):
        MissedChange.objects.create(receiver=name, changes=[])
    summaries = [item.summary for item in raise_and_end.look(NOW).findings]
    assert "my.bill has missed 2 changes of sessions" in summaries
    assert "my.crm has missed 1 change of sessions" in summaries
    assert "2 messages wait in quarantine" in summaries
    assert "1 message failed and can be replayed" in summaries


def test_a_worker_breathes_between_two_checks() -> None:
    """They share a process with frames that wait."""
    breaths: list[int] = []
    seen = raise_and_end.look(NOW, breathe=lambda: breaths.append(len(breaths)))
    assert not seen.unknown
    assert len(breaths) >= 11


def test_dead_letters_are_found_by_what_the_workers_say() -> None:
    Worker.objects.create(id="w", last_seen_at=NOW, report={"dead_letters": 3})
    findings = raise_and_end.look(at(10)).findings
    assert [item.summary for item in findings if item.kind == "dead-letter"] == [
        "3 batches are in the dead-letter queue levity.rpc.dead"
    ]


def test_many_wrong_passwords_are_told_once_an_hour(client: Client, settings: Any) -> None:
    """W-06: as the real login counts them, of all addresses together."""
    settings.OPERATION_FAILED_LOGINS = 4
    for number in range(4):
        assert conditions.failed_logins(timezone.now()) == []
        login = {"username": f"admin-{number}", "password": "wrong"}
        client.post("/admin/login/", login, REMOTE_ADDR=f"10.0.0.{number}")
    now = timezone.now()
    findings = conditions.failed_logins(now)
    assert [(item.kind, item.summary) for item in findings] == [
        ("failed-logins", "4 failed logins within ten minutes")
    ]
    seen(*findings)
    seen(*conditions.failed_logins(now), now=at(15))
    assert Alert.objects.count() == 1
    assert conditions.failed_logins(now + timedelta(minutes=11)) == []


def test_one_process_looks_and_another_takes_over_when_it_is_gone() -> None:
    assert alerts_round("one", at(0))
    assert not alerts_round("two", at(30))
    assert alerts_round("one", at(30))
    assert not alerts_round("two", at(90))
    assert alerts_round("two", at(91))
    assert not alerts_round("one", at(92))
    lease.give_back("alerts", "two", at(93))
    assert alerts_round("one", at(93))


def test_a_duty_taken_by_a_clock_that_was_set_back_is_not_held_for_ever() -> None:
    assert lease.take("alerts", "one", at(86_400))
    assert lease.take("alerts", "two", at(0))


def test_a_small_site_says_it_in_the_environment() -> None:
    environ = {
        "LEVITY_ALERT_EMAIL": "a@example.net, b@example.net",
        "LEVITY_ALERT_QUIET_HOURS": "22:00-07:00",
    }
    route = from_environ(environ)
    assert route is not None
    assert list(route.targets()) == [("email", "a@example.net"), ("email", "b@example.net")]
    assert (route.quiet_from, route.quiet_until) == (time(22), time(7))
    assert from_environ({}) is None


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LEVITY_ALERT_EMAIL": "me"}, "'me' is not an e-mail address"),
        (
            {"LEVITY_ALERT_EMAIL": "a@b.net", "LEVITY_ALERT_QUIET_HOURS": "22"},
            "enter two times, such as 22:00-07:00",
        ),
    ],
)
def test_a_mistyped_variable_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_environ(environ)


def test_old_alerts_are_forgotten_after_a_year() -> None:
    seen(found("command-failed"), now=at(-366 * 86_400))
    seen(found("command-failed", "2"), now=at(-364 * 86_400))
    seen(found(), now=at(-400 * 86_400))
    raise_and_end.forget_old(NOW)
    assert sorted(Alert.objects.values_list("key", flat=True)) == [
        "charger-fault:1",
        "command-failed:2",
    ]
