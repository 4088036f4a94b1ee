"""What stands around a page, for its templates: the menu's words, the tabs of a charger."""

import json
from typing import Any

from django import template
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, gettext_noop

from levity.ocpp.decisions import onboarding
from levity.pages.chargers.charger_tabs import tabs_of_list
from levity.pages.kit.formats import said
from levity.pages.kit.hooks import word_for
from levity.pages.kit.words import LIVE
from levity.writing import language_or_english

__all__ = ["register"]

# What a list counts, of one and of many, where its rows are called otherwise than the menu's words.
ROWS = {
    "axes.accessattempt": ("login that failed", "logins that failed"),
    "axes.accesslog": ("login", "logins"),
    "billing.statementrun": (gettext_noop("closed period"), gettext_noop("closed periods")),
    "ocpp.filejob": ("file", "files"),
    "ocpp.installedcertificate": ("trusted certificate", "trusted certificates"),
    # Each is of one connector in one month.
    "ocpp.unassignedenergy": ("row of unassigned energy", "rows of unassigned energy"),
    "ocpp.refusedhandshake": ("kind of refused connection", "kinds of refused connections"),
}

register = template.Library()
# Lists that no entry of the menu leads to, by the button that does.
BUTTONS = {
    "billing.issuer": gettext_noop("Who bills"),
    "billing.tariffuse": gettext_noop("Which tariff is for whom"),
    "billing.reportmail": gettext_noop("Monthly reports"),
}


def _word(label: str) -> str:
    return word_for(label) or str(said(BUTTONS.get(label, "")))


@register.filter
def menu_word(part: Any) -> str:
    """How the menu calls what this part of the way about leads to; empty if it does not."""
    label = ".".join(str(part.get("link") or "").strip("/").split("/")[-2:])
    return "" if hasattr(part.get("title"), "pk") else _word(label)


@register.filter
def list_title(title: Any) -> str:
    """What stands in the way to here: the plural of a model, in the language of the page."""
    return str(capfirst(said(str(title))))


@register.filter
def row_name(row: Any) -> str:
    """What a row is called, in the language of the page where it has no name of its own."""
    match row._meta.label_lower:
        case "ocpp.transaction":
            return gettext("Transaction %(number)s") % {"number": row.pk}
        case "billing.sessionprice":
            return gettext("price of session %(number)s") % {"number": row.pk}
        case "billing.statementrun":
            days = {"first": row.first_day, "last": row.last_day}
            return gettext("%(first)s to %(last)s") % days
    return str(row)


@register.filter
def menu_title(changes: Any) -> str:
    """How the menu calls this list; else the plural of its rows."""
    opts = changes.opts
    return _word(opts.label_lower) or capfirst(said(str(opts.verbose_name_plural)))


@register.filter
def rows_of(opts: Any, count: int = 2) -> str:
    """What the rows of this list are called, of so many; of several where it is not said."""
    one, many = ROWS.get(opts.label_lower) or (opts.verbose_name, opts.verbose_name_plural)
    return str(said(one if count == 1 else many))


@register.inclusion_tag("levity/charger_tabs.html", takes_context=True)
def charger_tabs(context: Any) -> dict[str, Any]:
    """Above a list of one charger's rows: its tabs."""
    return tabs_of_list(context["request"], context["cl"].opts.label_lower)


@register.simple_tag
def live_words() -> str:
    """What the scripts say, as JSON; empty where it is the English that stands in them."""
    if language_or_english(get_language()) == "en":
        return ""
    return json.dumps({text: gettext(text) for text in LIVE}, ensure_ascii=False)


@register.simple_tag
def wants_first_steps() -> bool:
    """True until somebody has ended the first steps."""
    return onboarding.state().first_run_at is None
