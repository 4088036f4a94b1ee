"""What a household charges with, in words."""

from django.utils.translation import gettext

from levity.billing.models import Assignment

__all__ = ["days_shown", "thing_shown"]


def thing_shown(row: Assignment) -> str:
    """A card, a charge point or one of its connectors."""
    if row.charge_point is None:
        return gettext("id tag %(tag)s") % {"tag": row.id_tag}
    found = {"name": row.charge_point, "number": row.connector}
    if row.connector:
        return gettext("charge point %(name)s, connector %(number)s") % found
    return gettext("charge point %(name)s") % found


def days_shown(row: Assignment) -> str:
    """From one day to another."""
    found = {"first": row.first_day, "last": row.last_day}
    if row.last_day:
        return gettext("from %(first)s to %(last)s") % found
    return gettext("from %(first)s on") % found
