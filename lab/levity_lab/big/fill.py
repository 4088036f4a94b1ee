"""`python -m levity_lab.big.fill`: a year of a big site, into the empty database that it is pointed
at.

The sessions of the year are written as rows, hours and traces. Today and yesterday are played frame
by frame (`levity_lab.year`), and their messages are copied to days before until there are enough.
Then everything is priced, and the last month's statements are closed.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from time import monotonic
from typing import Any

import django

__all__ = ["main"]

CHARGERS = int(os.environ.get("LEVITY_BIG_CHARGERS") or 200)
SESSIONS = int(os.environ.get("LEVITY_BIG_SESSIONS") or 100_000)
MESSAGES = int(os.environ.get("LEVITY_BIG_MESSAGES") or 1_000_000)
HOMES = int(os.environ.get("LEVITY_BIG_HOMES") or 500)
DAYS, PLAYED, SEED = 365, 1, 1
ELEMENTS = 25
"""MeterValues of a past session, of four samples each."""
AT_ONCE = 2_000
ZONE = "Europe/Berlin"
TARIFF = {
    "time_zone": ZONE,
    "vat_percent": "19",
    "tax_included": True,
    "energy": [{"price_per_kwh": "0.39", "name": "day"}],
    "monthly_fee": {"price": "4.00"},
}
NIGHT = TARIFF | {
    "energy": [
        {"price_per_kwh": "0.29", "from": "22:00", "to": "06:00", "name": "night"},
        {"price_per_kwh": "0.39", "name": "day"},
    ]
}
FLAGS = {1: ("implausible-energy", "low"), 2: ("stop-before-start", "low"), 3: ("", "low")}
"""Of some sessions in five hundred."""


def main() -> None:
    """Fill it, and say how far it is."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection

    from levity_lab.year.fill import Site

    call_command("migrate", verbosity=0, interactive=False)
    User.objects.create_superuser("root", "", "root")
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=PLAYED)
    site = Site(CHARGERS, SEED)
    site.connect(first)
    _places(now)
    _history(first)
    _say("history is written")
    for number in range(PLAYED + 1):
        day = first + number * timedelta(days=1)
        site.play(day, until=now)
        _say(f"day {number} of {PLAYED}: {site.exchanges:,} exchanges")
    _more_messages()
    _say("the messages are copied")
    _count_hours(now)
    _prices(now)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    _say("done")


def _places(now: datetime) -> None:
    from levity.billing.models import Assignment, Household, Issuer, TariffUse
    from levity.billing.tariffs import add_tariff
    from levity.ocpp.models import ChargePoint, IdTag, Site

    site = Site.objects.create(name="Big garage", time_zone=ZONE)
    begun = now - timedelta(days=DAYS + 30)
    ChargePoint.objects.update(site=site, created_at=begun)
    IdTag.objects.bulk_create(
        IdTag(id_tag=_tag(home), owner=f"Resident {home}") for home in range(HOMES)
    )
    homes = Household.objects.bulk_create(
        Household(name=f"Home {home:03d}", flat=f"Flat {home}", site=site) for home in range(HOMES)
    )
    Assignment.objects.bulk_create(
        Assignment(household=home, id_tag=_tag(number), first_day=begun.date())
        for number, home in enumerate(homes)
    )
    tariff = add_tariff("Flat price", TARIFF, begun, None, site)
    TariffUse.objects.create(tariff=tariff, site=site)
    add_tariff("Cheap nights", NIGHT, begun, None, site)
    Issuer.objects.create(site=site, name="Big co-op", address="Street 1", prefix="BIG-")


def _tag(home: int) -> str:
    return f"BIG{home:05d}"


def _history(until: datetime) -> None:
    from django.db import transaction

    from levity.ocpp.models import ChargePoint, SampleTrace, SessionHour, StatusEvent, Transaction
    from levity.ocpp.store.samples.shapes import store_shapes

    chargers = list(ChargePoint.objects.order_by("pk").values_list("pk", flat=True))
    registers = dict.fromkeys(chargers, 1_000_000)
    random = Random(SEED)  # no secret
    # Of the days that are played each charger has one session a day.
    wanted = max(0, SESSIONS - CHARGERS * (PLAYED + 1))
    drawn = sorted(random.uniform(0, (DAYS - PLAYED) * 86_400 - 40_000) for _ in range(wanted))
    begin = until - timedelta(days=DAYS - PLAYED)
    for at in range(0, wanted, AT_ONCE):
        rows: dict[Any, list[Any]] = {Transaction: [], SampleTrace: [], SessionHour: []}
        statuses: list[StatusEvent] = []
        for number, seconds in enumerate(drawn[at : at + AT_ONCE], at + 1):
            session = _session(number, begin + timedelta(seconds=int(seconds)), chargers, random)
            session.meter_start = registers[session.charge_point_id]
            session.meter_stop = session.meter_start + int(session.energy)
            registers[session.charge_point_id] = session.meter_stop
            rows[Transaction].append(session)
            rows[SampleTrace].append(_trace(session))
            rows[SessionHour] += _hours(session)
            statuses += _statuses(session)
        with transaction.atomic():
            store_shapes([_shape()])
            for model, made in rows.items():
                model.objects.bulk_create(made, batch_size=500)
            StatusEvent.objects.bulk_create(statuses, batch_size=500)
    _number_on()


def _number_on() -> None:
    """The next session is numbered after these."""
    from django.core.management.color import no_style
    from django.db import connection

    from levity.ocpp.models import Transaction

    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [Transaction]):
            cursor.execute(sql)


def _session(pk: int, start: datetime, chargers: list[int], random: Random) -> Any:
    from levity.ocpp.models import Transaction

    lasted = timedelta(seconds=random.randrange(1_800, 36_000))
    flags, confidence = FLAGS.get(random.randrange(500), ("", "high"))
    wh = Decimal(int(lasted.total_seconds() * random.uniform(0.6, 2.0)))
    return Transaction(
        pk=pk,
        charge_point_id=random.choice(chargers),
        connector=1,
        state=Transaction.State.STOPPED,
        id_tag=_tag(random.randrange(HOMES + 20)),
        started_at=start,
        start_received_at=start,
        stopped_at=start + lasted,
        stop_received_at=start + lasted,
        stop_reason="EVDisconnected",
        energy=wh,
        meter_last_at=start + lasted,
        flags=flags,
        confidence=confidence,
        energy_source="registers",
    )


@cache
def _shape() -> Any:
    from levity.ocpp.effects import Sample
    from levity.ocpp.store.samples.shapes import shape_of

    names = (
        ("Energy.Active.Import.Register", "Wh", ""),
        ("Power.Active.Import", "W", ""),
        ("Current.Import", "A", "L1"),
        ("Voltage", "V", "L1-N"),
    )
    now = datetime.now(UTC)
    return shape_of(
        [Sample(now, name, "0", None, unit, phase, "", "", "") for name, unit, phase in names]
    )


def _trace(session: Any) -> Any:
    from levity.ocpp.models import SampleTrace
    from levity.ocpp.store.samples.coding import Coded, encode

    step = (session.stopped_at - session.started_at) / ELEMENTS
    wh = float(session.energy)
    power = wh / ELEMENTS / (step.total_seconds() / 3600)
    shape, coded = _shape().id, []
    for number in range(ELEMENTS):
        moment = session.started_at + (number + 1) * step
        at = int(moment.timestamp() * 1_000_000)
        register = int(session.meter_start) + int(wh * (number + 1) / ELEMENTS)
        volts = 228 + (session.pk * 7 + number * 13) % 40 / 10
        said = (f"{register}", f"{power:.1f}", f"{power / volts:.2f}", f"{volts:.1f}")
        # (Numbers of elements that are never rows: beneath what rows will get is no room.)
        coded.append(Coded(10**12 + session.pk * 100 + number, (0, 1), at, at, shape, said))
    return SampleTrace(
        charge_point_id=session.charge_point_id,
        connector=1,
        transaction_id=session.pk,
        first_at=session.started_at + step,
        last_at=session.stopped_at,
        elements=ELEMENTS,
        samples=4 * ELEMENTS,
        data=encode(coded),
    )


def _hours(session: Any) -> Iterator[Any]:
    from levity.ocpp.models import SessionHour
    from levity.ocpp.rules.hours import Metered, hours_of

    wh = Decimal() if session.flags == "implausible-energy" else session.energy
    for hour in hours_of(Metered(session.started_at, session.stopped_at, wh)):
        yield SessionHour(
            transaction_id=session.pk,
            charge_point_id=session.charge_point_id,
            connector=1,
            hour=hour.hour,
            wh=hour.wh,
            seconds=hour.seconds,
            power=hour.power,
            counted_at=session.stopped_at,
        )


def _statuses(session: Any) -> Iterator[Any]:
    from levity.ocpp.models import StatusEvent

    second = timedelta(seconds=1)
    for status, at in (
        ("Preparing", session.started_at - 8 * second),
        ("Charging", session.started_at + second),
        ("Finishing", session.stopped_at),
        ("Available", session.stopped_at + 20 * second),
    ):
        yield StatusEvent(
            charge_point_id=session.charge_point_id,
            connector=1,
            status=status,
            error_code="NoError",
            reported_at=at,
            received_at=at,
        )


def _more_messages() -> None:
    """Those of yesterday, on the days before it, as rows."""
    from django.db import connection

    from levity.ocpp.models import Message

    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    of_a_day = Message.objects.filter(received_at__date=yesterday).count()
    fields = Message._meta.concrete_fields
    names = [str(field.column) for field in fields if not field.primary_key]
    is_postgres = connection.vendor == "postgresql"
    columns = ", ".join(f'"{name}"' for name in names)
    for back in range(1, max(0, MESSAGES - Message.objects.count()) // of_a_day + 2):
        moved = f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', received_at, '-{back} days')"
        if is_postgres:
            moved = f"received_at - interval '{back} days'"
        other = {"unique_id": "%s || unique_id", "received_at": moved}
        chosen = ", ".join(other.get(name, f'"{name}"') for name in names)
        with connection.cursor() as cursor:
            # (Names of columns, and numbers.)
            cursor.execute(
                f"INSERT INTO ocpp_message ({columns})"  # noqa: S608
                f" SELECT {chosen} FROM ocpp_message WHERE received_at >= %s AND received_at < %s",
                [f"{back}-", str(yesterday), str(yesterday + timedelta(days=1))],
            )


def _count_hours(now: datetime) -> None:
    from levity.ocpp.worker.moving import hours

    while hours(now):
        pass


def _prices(now: datetime) -> None:
    from levity.billing.models import Issuer
    from levity.billing.settling import settle_between
    from levity.billing.statements.closing import close
    from levity.days import month_before

    settle_between(now - timedelta(days=DAYS + 30), now)
    _say("all sessions are priced")
    close(Issuer.objects.get(), *month_before(now.date()), None)
    _say("the last month is closed")


_began = monotonic()


def _say(text: str) -> None:
    sys.stderr.write(f"{monotonic() - _began:6.0f} s  {text}\n")


if __name__ == "__main__":
    main()
