"""What `levity serve --demo` has to show at once: a site with residents and two months of history.

Made once, in bulk, and only in a database that nobody has used yet. No StartTransaction was ever
sent for these sessions, so they have no messages and no meter values.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from django.db import transaction
from django.utils import timezone

from levity.billing.models import Assignment, Household
from levity.db.rows import reserve_ids
from levity.ocpp.changes import changes_told
from levity.ocpp.models import DEMO, ChargePoint, IdTag, SessionHour, Site, Transaction
from levity.ocpp.rules.hours import Metered, hours_of

__all__ = ["CARDS", "DAYS", "RESIDENTS", "SITE", "make_history", "tag_of"]

SITE = "Demo car park"
DAYS = 61
RESIDENTS = (
    ("Anna Berg", "1st floor left"),
    ("Bo Lindqvist", "1st floor right"),
    ("Clara Vos", "2nd floor left"),
    ("Dieter Krause", "2nd floor right"),
    ("Emma Rossi", "3rd floor left"),
    ("Farid Haddad", "3rd floor right"),
    ("Grace Okafor", "4th floor left"),
    ("Henk de Wit", "4th floor right"),
    ("Ines Martin", "5th floor left"),
    ("Jonas Weber", "5th floor right"),
    ("Kaja Nowak", "Penthouse"),
    ("Louis Petit", "Garden flat"),
)
"""Name and flat."""
CARDS = 36
"""Three of each resident; the simulated drivers have some more, which are guests'."""
# A car of each resident: W that it takes, and on the average every so many days.
CARS = ((11_000, 3.0), (7_400, 2.0), (3_700, 1.5), (11_000, 5.0))


def make_history(now: datetime) -> bool:
    """Fill this database; False, and nothing is done, if it has charge points, sites, sessions or
    households."""
    if any(model.objects.exists() for model in (ChargePoint, Site, Transaction, Household)):
        return False
    with transaction.atomic():
        site = Site.objects.create(name=SITE, time_zone=timezone.get_default_timezone_name())
        chargers = ChargePoint.objects.bulk_create(
            ChargePoint(
                identity=identity,
                name=f"Bay {number}",
                site=site,
                registration=ChargePoint.Registration.ACCEPTED,
                disconnected_at=now,
            )
            for number, identity in enumerate(DEMO, 1)
        )
        _residents(site, now)
        _sessions(chargers, now)
    return True


def _residents(site: Site, now: datetime) -> None:
    first_day = timezone.localdate(now - timedelta(days=DAYS))
    for number, (name, flat) in enumerate(RESIDENTS, 1):
        home = Household.objects.create(
            name=name, flat=flat, site=site, parking=f"Bay {(number - 1) % len(DEMO) + 1}"
        )
        for card in range(number - 1, CARDS, len(RESIDENTS)):
            IdTag.objects.create(id_tag=tag_of(card), owner=name)
            Assignment.objects.create(household=home, id_tag=tag_of(card), first_day=first_day)


def tag_of(card: int) -> str:
    """As the simulated drivers call their cards (`simulator.life`)."""
    return f"CARD{card:04d}"


def _sessions(chargers: list[ChargePoint], now: datetime) -> None:
    found = list(_made(chargers, now))
    ids = reserve_ids(Transaction, len(found))
    for session, pk in zip(found, ids, strict=True):
        session.pk = pk
    # Their hours are written here: nothing has to be counted.
    with changes_told(lambda: ids, of_hours=tuple):
        Transaction.objects.bulk_create(found)
    SessionHour.objects.bulk_create(
        SessionHour(
            transaction=session,
            charge_point_id=session.charge_point_id,
            connector=1,
            hour=hour.hour,
            wh=hour.wh,
            seconds=hour.seconds,
            power=hour.power,
            counted_at=now,
        )
        for session in found
        for hour in hours_of(
            Metered(
                session.started_at,
                session.stopped_at or now,
                session.energy or Decimal(),
                session.meter_start,
                session.meter_stop,
            )
        )
    )


def _made(chargers: list[ChargePoint], now: datetime) -> Iterator[Transaction]:
    """Evenings and nights of the last two months, the same in each demo; a bay has one car at a
    time, and its register goes on from session to session."""
    chance = Random(1)
    registers = dict.fromkeys((charger.pk for charger in chargers), Decimal(1_000_000))
    free_from = dict.fromkeys(registers, now - timedelta(days=DAYS))
    for start, number in _arrivals(chance, now):
        power, _ = CARS[number % len(CARS)]
        # One's own bay, or the next one that is free.
        order = chargers[number % len(chargers) :] + chargers[: number % len(chargers)]
        charger = next((item for item in order if free_from[item.pk] <= start), None)
        hours = chance.uniform(0.8, 4.5)
        stop = start + timedelta(hours=hours)
        if charger is None or stop >= now - timedelta(minutes=10):
            continue
        wh = Decimal(int(power * hours * chance.uniform(0.8, 0.98)))
        free_from[charger.pk] = stop + timedelta(minutes=10)
        before = registers[charger.pk]
        registers[charger.pk] = before + wh
        yield Transaction(
            charge_point=charger,
            connector=1,
            state=Transaction.State.STOPPED,
            id_tag=tag_of(number),
            started_at=start,
            start_received_at=start,
            stopped_at=stop,
            stop_received_at=stop,
            meter_start=before,
            meter_stop=before + wh,
            energy=wh,
            meter_last=before + wh,
            meter_last_at=stop,
            stop_reason="EVDisconnected",
            energy_source="registers",
            confidence="high",
        )


def _arrivals(chance: Random, now: datetime) -> list[tuple[datetime, int]]:
    """(when, which resident) in the order of time."""
    found = []
    for number in range(len(RESIDENTS)):
        _, every = CARS[number % len(CARS)]
        day = chance.uniform(0, every)
        while day < DAYS:
            evening = timezone.localtime(now - timedelta(days=DAYS - day)).replace(
                hour=17, minute=0, second=0, microsecond=0
            )
            found.append((evening + timedelta(minutes=round(chance.gauss(60, 100))), number))
            day += chance.uniform(0.5, 1.5) * every
    return sorted(found)
