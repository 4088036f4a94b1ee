"""What a session and its flags ask of who bills it: a word with a colour, and a filter."""

from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat, Replace
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RadioFilter

from levity.ocpp.models import Transaction
from levity.ocpp.rules.flags import (
    CLASSES,
    DO_NOT_BILL,
    HARMLESS,
    LOOK,
    Class,
    class_of,
    explained,
    of_class,
)
from levity.pages.chargers.filters import ChoiceFilter
from levity.pages.kit.formats import NOTHING, badge

__all__ = ["ClassFilter", "class_badge", "flag_lines", "session_class"]

WORDS: dict[Class, tuple[str, str]] = {
    HARMLESS: (gettext_noop("harmless"), ""),
    LOOK: (gettext_noop("look"), "warn"),
    DO_NOT_BILL: (gettext_noop("do not bill"), "bad"),
}
"""Of each class the word and the tone."""


def session_class(item: Transaction) -> Class:
    """What this session asks of who bills it."""
    return class_of(item.flags, item.confidence)


def class_badge(category: Class) -> str:
    """The class as a word with its colour."""
    word, tone = WORDS[category]
    return badge(gettext(word), tone)


def flag_lines(flags: str) -> str:
    """Each flag with its class and what it means; an extension's own has neither here."""
    lines = (
        (class_badge(flag.category) if flag else "", name, gettext(flag.meaning) if flag else "")
        for name, flag in explained(flags)
    )
    return (
        format_html_join("", '<div>{} {} <span class="lv-soft">{}</span></div>', lines) or NOTHING
    )


class ClassFilter(ChoiceFilter, RadioFilter):
    """Sessions by what they ask of who bills them; see `levity.ocpp.rules.flags.class_of`."""

    title = _("before billing")
    parameter_name = "class"
    options = (
        (LOOK, _("to look at")),
        (DO_NOT_BILL, _("not to bill")),
        (HARMLESS, _("nothing to do")),
    )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the chosen class; graver flags put them into another."""
        chosen = next((each for each in CLASSES if each == self.chosen()), None)
        if chosen is None:
            return queryset
        never, look = _any_of(DO_NOT_BILL), _any_of(LOOK) | Q(confidence="low")
        wanted = {DO_NOT_BILL: never, LOOK: look & ~never, HARMLESS: ~(look | never)}[chosen]
        # Each flag between blanks, also one with a value: " own-id 4711 ".
        between = Replace(Concat(Value(" "), "flags", Value(" ")), Value(":"), Value(" "))
        return queryset.alias(between=between).filter(wanted)


def _any_of(category: Class) -> Q:
    wanted = Q()
    for name in of_class(category):
        wanted |= Q(between__contains=f" {name} ")
    # Most sessions have no flag, and need no comparing.
    return ~Q(flags="") & wanted
