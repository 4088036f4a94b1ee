"""The database's sums by payer are those of a count of each session, one after the other."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from levity.billing.by_payer import held_by_all, sums_by_payer
from levity.billing.models import Assignment, Household, SessionPrice, TariffUse
from levity.billing.reports.making import make_report
from levity.billing.reports.span import Span
from levity.billing.rules.money import rounded
from levity.billing.rules.payer import Holders
from levity.billing.settling import settle
from levity.billing.tariffs import add_tariff
from levity.billing.used import Use, used
from levity.ocpp.models import ChargePoint, Site, Transaction
from levity.ocpp.rules.flags import HARMLESS, class_of
from levity.ocpp.wire.fields import zone_of

pytestmark = pytest.mark.django_db
ZONES = ("Europe/Berlin", "", "Pacific/Auckland", "No/Where")
YEAR = Span(date(2026, 1, 1), date(2026, 12, 31), ZoneInfo("Europe/Berlin"))
FLAGS = ("", "", "", "orphaned", "implausible-energy", "stop-before-start")
TARIFF = {"time_zone": "Europe/Berlin", "vat_percent": "19", "energy": [{"price_per_kwh": "0.333"}]}
DAY = timedelta(days=1)


def some_site(random, tags):
    """Chargers on four clocks, and households that move in and out, two of them at odds."""
    sites = [Site.objects.create(name=f"Site {zone}", time_zone=zone) for zone in ZONES]
    chargers = [
        ChargePoint.objects.create(identity=f"c-{number}", site=site)
        for number, site in enumerate([*sites, None, *sites])
    ]
    for number in range(12):
        home = Household.objects.create(name=f"Home {number}")
        for _ in range(3):
            first = date(2025, 6, 1) + random.randrange(500) * DAY
            last = None if random.random() < 0.5 else first + random.randrange(300) * DAY
            what = {"id_tag": random.choice(tags)}
            if random.random() < 0.5:
                connector = random.choice([None, 1, 2])
                what = {"charge_point": random.choice(chargers), "connector": connector}
            # (Rows as an import of before may have left them: not checked for others'.)
            Assignment.objects.create(household=home, first_day=first, last_day=last, **what)
    return chargers


def sessions(random, chargers, tags, count):
    turns = [each.first for each in held_by_all()] + [date(2026, 1, 1), date(2027, 1, 1)]
    for number in range(count):
        day = random.choice(turns) if random.random() < 0.5 else date(2026, 7, 1)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        start = midnight + timedelta(
            seconds=random.choice([-1, 0, 1]) + random.randrange(-14, 14) * 3600
        )
        is_over = random.random() < 0.9
        energy = Decimal(random.randrange(40_000_000)) / 1000
        yield Transaction(
            charge_point=random.choice(chargers),
            connector=random.choice([None, 1, 2]),
            id_tag=random.choice([*tags, "stranger", ""]),
            started_at=start,
            start_received_at=start,
            meter_start=number,
            state="stopped" if is_over else "active",
            stopped_at=start + timedelta(seconds=random.randrange(-99, 9999)) if is_over else None,
            energy=None if random.random() < 0.1 else energy,
            flags=random.choice(FLAGS),
            confidence=random.choice(["high", "high", "high", "low"]),
        )


def recounted():
    """(what `used` says, the rows of the report by household), session by session."""
    held = Holders(held_by_all())
    prices = {row.pk: row for row in SessionPrice.objects.all()}
    names = dict(Household.objects.values_list("pk", "name"))
    uses, cards = defaultdict(Use), defaultdict(Use)
    report = defaultdict(lambda: [0, Decimal(), timedelta(), None])
    rows = Transaction.objects.select_related("charge_point__site")
    for row in rows.filter(started_at__gte=YEAR.since, started_at__lt=YEAR.until):
        zone = row.charge_point.site.time_zone if row.charge_point.site else ""
        day = timezone.localtime(row.started_at, zone_of(zone) if zone else None).date()
        home = held.payer(row.charge_point_id, row.connector, row.id_tag, day).household
        is_true = row.energy is not None and "implausible-energy" not in row.flags
        wh = row.energy if is_true else Decimal()
        sure = row.state != "active" and row.energy is not None
        sure = sure and class_of(row.flags, row.confidence) == HARMLESS
        uses[home] += Use(1, wh, 0 if sure else 1)
        if home is None:
            cards[row.id_tag] += Use(1, wh, 0 if sure else 1)
        price = prices.get(row.pk)
        is_priced = price is not None and price.state == "priced"
        sums = report[price.household_id if is_priced and price.household_id else home]
        sums[0] += 1
        sums[1] += wh
        sums[2] += max((row.stopped_at or row.started_at) - row.started_at, timedelta())
        if is_priced:
            sums[3] = (sums[3] or Decimal()) + price.amount
    lines = {
        names.get(home, "(nobody's)"): [
            *(str(count), f"{wh / 1000:.3f}", f"{lasted.total_seconds() / 3600:.2f}"),
            "" if amount is None else str(rounded(amount, "EUR")),
        ]
        for home, (count, wh, lasted, amount) in report.items()
    }
    return (dict(uses), dict(cards)), lines


def counted():
    found = used(YEAR.since, YEAR.until)
    report = make_report("resident", YEAR, None)
    lines = {row[0]: list(row[2:]) for row in report.rows}
    if not report.head[-1].startswith("amount"):
        lines = {name: [*row, ""] for name, row in lines.items()}
    return (found.households, found.cards), lines


@pytest.mark.parametrize(
    ("seed", "tags"),
    [
        (1, ["AA", "aa", "bB", "cc", "dd"]),
        (2, ["AA", "bb", "Cc", "cC", "ee", "ff"]),
        # SQLite knows no small letters of these.
        (3, ["ÄA", "äa", "bb", "BB"]),
    ],
)
def test_sums_by_household_are_those_of_a_recount_also_after_corrections(seed, tags):
    random = Random(seed)
    chargers = some_site(random, tags)
    Transaction.objects.bulk_create(sessions(random, chargers, tags, 400))
    assert counted() == recounted()
    TariffUse.objects.create(tariff=add_tariff("All", TARIFF, YEAR.since - DAY, None))
    keys = list(Transaction.objects.exclude(state="active").values_list("pk", flat=True))
    with transaction.atomic():
        settle(keys)
    assert SessionPrice.objects.filter(state="priced").count() > 40
    assert counted() == recounted()
    for key in keys[::3]:
        energy = Decimal(random.randrange(40_000_000)) / 1000
        Transaction.objects.filter(pk=key).update(energy=energy, confidence="high", flags="")
    # What moved meanwhile: a card that was one household's is another's from a day on.
    moved = Assignment.objects.exclude(id_tag="").first()
    moved.last_day = date(2026, 6, 30)
    moved.save()
    other = Household.objects.order_by("-pk").first()
    Assignment.objects.create(household=other, id_tag=moved.id_tag, first_day=date(2026, 7, 1))
    assert counted() == recounted()
    with transaction.atomic():
        settle(keys)
    assert counted() == recounted()


def test_the_database_hands_over_groups_and_not_sessions():
    """A year of two homes with a card each, and of guests: not a row for each session."""
    site = Site.objects.create(name="Garage", time_zone="Europe/Berlin")
    chargers = [ChargePoint.objects.create(identity=f"c-{n}", site=site) for n in range(3)]
    for number, first in enumerate((date(2025, 1, 1), date(2026, 6, 1))):
        home = Household.objects.create(name=f"Home {number}")
        Assignment.objects.create(household=home, id_tag=f"tag-{number}", first_day=first)
    random, begin = Random(1), YEAR.since
    Transaction.objects.bulk_create(
        Transaction(
            charge_point=chargers[number % 3],
            connector=1,
            id_tag=("TAG-0", "tag-1", f"guest-{number}")[random.randrange(3)],
            started_at=begin + number * timedelta(hours=8),
            meter_start=number,
            energy=1000,
            state="stopped",
        )
        for number in range(1_000)
    )
    with CaptureQueriesContext(connection) as asked:
        report = make_report("resident", YEAR, None)
    assert len(report.rows) == 3
    assert len(asked) <= 4
    # One of the home that stays; the other's two stretches and the guests, at three chargers.
    groups = list(sums_by_payer(Transaction.objects.all(), YEAR.since, YEAR.until, n=Count("pk")))
    assert len(groups) <= 1 + 2 * 3 + 3
    assert sum(sums["n"] for _, sums in groups) == 1_000
