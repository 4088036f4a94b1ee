"""What fields and rows of billing are called, for the translators: Django makes these words from
the names of columns, so that they stand nowhere else."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy, gettext_noop

__all__ = ["WORDS", "translate_names"]

WORDS = (
    gettext_noop("name"),
    gettext_noop("flat"),
    gettext_noop("parking space"),
    gettext_noop("site"),
    gettext_noop("e-mail"),
    gettext_noop("language"),
    gettext_noop("members"),
    gettext_noop("notes"),
    gettext_noop("household"),
    gettext_noop("id tag"),
    gettext_noop("charge point"),
    gettext_noop("connector"),
    gettext_noop("first day"),
    gettext_noop("last day"),
    gettext_noop("tariff"),
    gettext_noop("address"),
    gettext_noop("tax number"),
    gettext_noop("payment text"),
    gettext_noop("prefix"),
    gettext_noop("closed by"),
    # Of accounting data.
    gettext_noop("street"),
    gettext_noop("postcode"),
    gettext_noop("town"),
    gettext_noop("country"),
    gettext_noop("contact"),
    gettext_noop("phone"),
    gettext_noop("creditor identifier"),
    gettext_noop("due days"),
    gettext_noop("exemption"),
    gettext_noop("consultant number"),
    gettext_noop("client number"),
    gettext_noop("revenue accounts"),
    gettext_noop("buyer's reference"),
    gettext_noop("account"),
    gettext_noop("mandate reference"),
    gettext_noop("mandate signed on"),
    gettext_noop("account holder"),
    # Rows, as lists count them.
    gettext_noop("households"),
    gettext_noop("tariffs"),
    gettext_noop("statement"),
    gettext_noop("statements"),
    gettext_noop("issuer"),
    gettext_noop("issuers"),
    gettext_noop("price of a session"),
    gettext_noop("prices of sessions"),
    gettext_noop("use of a tariff"),
    gettext_noop("uses of tariffs"),
    gettext_noop("monthly reports"),
    # Languages of households.
    gettext_noop("English"),
    gettext_noop("German"),
    gettext_noop("French"),
    gettext_noop("Dutch"),
    # How sure a figure is, and marks of sessions.
    gettext_noop("high"),
    gettext_noop("medium"),
    gettext_noop("low"),
    gettext_noop("estimated"),
    gettext_noop("corrected"),
)


def translate_names(models: Iterable[Any]) -> None:
    """Let forms and lists say the names and the help of these models' columns in the language of
    the page. Migrations know the English ones."""
    for model in models:
        for field in model._meta.fields:
            field.verbose_name = gettext_lazy(str(field.verbose_name))
            if field.help_text:
                field.help_text = gettext_lazy(str(field.help_text))
