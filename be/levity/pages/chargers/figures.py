"""What people look for first on the page of a session: a few figures, each with a word about it."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext

from levity.ocpp.models import Transaction
from levity.pages.chargers.sure_words import confidence_said, source_said
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
    source = confidence_said(item.confidence) or source_said(item.energy_source)
    who = getattr(item, "owner", "") or excerpt(item.id_tag, 24)
    return [
        (
            gettext("Energy"),
            kwh(item.energy),
            source if item.is_counted else gettext("in no total"),
        ),
        _power(item),
        _lasted(item),
        (
            gettext("Charged by"),
            who or gettext(UNKNOWN_PAYER),
            item.id_tag if getattr(item, "owner", "") else "",
        ),
    ]


def _power(item: Transaction) -> Figure:
    if item.state == Transaction.State.ACTIVE:
        return (gettext("Power"), watts(item.power), gettext("now"))
    lasted = item.stopped_at - item.started_at if item.stopped_at else timedelta()
    if item.energy is None or lasted <= timedelta(0):
        return (gettext("Power"), NOTHING, "")
    return (gettext("Power"), watts(item.energy / Decimal(lasted / HOUR)), gettext("on average"))


def _lasted(item: Transaction) -> Figure:
    began = shown_time(item.started_at, site_zone(item))
    if item.state == Transaction.State.ACTIVE:
        return (gettext("Duration"), so_far(item.started_at, timezone.now()), began)
    return (
        gettext("Duration"),
        duration(item.stopped_at - item.started_at if item.stopped_at else None),
        began,
    )
