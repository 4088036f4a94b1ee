"""What a household charges with, in words."""

from django.utils.translation import gettext

from levity.billing.models import Assignment

__all__ = ["days_shown", "thing_shown"]


def thing_shown(row: Assignment) -> str:
    """A card, a charge point or one of its connectors."""
    return row.thing.in_words(gettext)


def days_shown(row: Assignment) -> str:
    """From one day to another."""
    return row.days.in_words(gettext)
