"""The first steps, in their order: Levity's own, and those of other apps.

An app adds some by `levity_first_steps` of its AppConfig: the dotted path of a function without
arguments that returns `Step`s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible
from levity.pages.first_run import charger, local, mail, place

__all__ = ["HOOK", "Step", "steps_of"]

HOOK = "levity_first_steps"
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One question."""

    name: str
    """In its address."""
    title: Any
    template: str
    may: Callable[[Any], bool]
    """Whether this person may answer it."""
    is_done: Callable[[HttpRequest], bool]
    shown: Callable[[HttpRequest], Context]
    """What its template shows."""
    answer: Callable[[HttpRequest], Context | None]
    """Do what was sent; None: done, on to the next. Else what the template shows then. May raise
    `levity.ocpp.deciding.Refused`."""


OWN = (
    Step(
        name="local",
        title=_("Time zone and language"),
        template="levity/first_run/local.html",
        may=lambda user: bool(user.is_superuser),
        is_done=lambda request: local.is_done(),
        shown=local.shown,
        answer=local.answer,
    ),
    Step(
        name="site",
        title=_("Site"),
        template="levity/first_run/site.html",
        may=place.may,
        is_done=lambda request: place.the_site(request.user) is not None,
        shown=place.shown,
        answer=place.answer,
    ),
    Step(
        name="who",
        title=_("Who may charge"),
        template="levity/first_run/who.html",
        may=place.may,
        is_done=lambda request: place.is_ruled(request.user),
        shown=place.rule_shown,
        answer=place.rule_answer,
    ),
    Step(
        name="mail",
        title=_("Mail server"),
        template="levity/first_run/mail.html",
        may=lambda user: bool(user.is_superuser),
        is_done=lambda request: mail.is_done(),
        shown=mail.shown,
        answer=mail.answer,
    ),
    Step(
        name="charger",
        title=_("First charger"),
        template="levity/first_run/charger.html",
        may=lambda user: bool(user.has_perm("ocpp.view_chargepoint")),
        is_done=lambda request: visible(ChargePoint.objects.all(), request.user).exists(),
        shown=charger.shown,
        answer=charger.answer,
    ),
)


def steps_of(user: Any) -> list[Step]:
    """Those that this person may answer."""
    found = list(OWN)
    for config in apps.get_app_configs():
        if given := getattr(config, HOOK, None):
            found += import_string(given)()
    return [step for step in found if step.may(user)]
