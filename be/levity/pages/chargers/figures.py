"""What people look for first on the page of a session: a few figures, each with a word about it."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from levity.ocpp.models import Transaction
from levity.pages.kit.formats import (
    NOTHING,
    UNKNOWN_PAYER,
    duration,
    excerpt,
    kwh,
    shown_time,
    site_zone,
    so_far,
    watts,
)

__all__ = ["figures_of"]

HOUR = timedelta(hours=1)

Figure = tuple[str, str, str]


def figures_of(item: Transaction) -> list[Figure]:
    """(title, value, note) of energy, power, duration, and who charged."""
    source = f"{item.confidence} confidence" if item.confidence else item.energy_source
    who = getattr(item, "owner", "") or excerpt(item.id_tag, 24)
    return [
        ("Energy", kwh(item.energy), source if item.is_counted else "in no total"),
        _power(item),
        _lasted(item),
        ("Charged by", who or UNKNOWN_PAYER, item.id_tag if getattr(item, "owner", "") else ""),
    ]


def _power(item: Transaction) -> Figure:
    if item.state == Transaction.State.ACTIVE:
        return ("Power", watts(item.power), "now")
    lasted = item.stopped_at - item.started_at if item.stopped_at else timedelta()
    if item.energy is None or lasted <= timedelta(0):
        return ("Power", NOTHING, "")
    return ("Power", watts(item.energy / Decimal(lasted / HOUR)), "on average")


def _lasted(item: Transaction) -> Figure:
    began = shown_time(item.started_at, site_zone(item))
    if item.state == Transaction.State.ACTIVE:
        return ("Duration", so_far(item.started_at, timezone.now()), began)
    return (
        "Duration",
        duration(item.stopped_at - item.started_at if item.stopped_at else None),
        began,
    )
