"""What there is to see of one charger, as tabs: its own page, and lists that show only its rows.

Each tab is a link, so they work by keyboard and without JavaScript; the pages behind them are those
that the menu leads to.
"""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, gettext_noop

from levity.ocpp.models import ChargePoint, FileJob, Message, Transaction
from levity.ocpp.visibility import visible
from levity.pages.kit.formats import list_url

__all__ = ["CONFIGURATION", "DETAILS", "asked_for", "tabs_of", "tabs_of_list"]

OVERVIEW, CONFIGURATION, DETAILS = "overview", "configuration", "details"
FILTER = "charge_point__id__exact"
LISTS = (
    (gettext_noop("Sessions"), Transaction, "ocpp.view_transaction"),
    (gettext_noop("Messages"), Message, "ocpp.view_message"),
)


def asked_for(request: HttpRequest) -> str:
    """Which tab of the charger's own page: the form only where somebody wants it."""
    is_form = request.method == "POST" or request.GET.get("tab") == DETAILS
    return DETAILS if is_form or "_popup" in request.GET else OVERVIEW


def tabs_of(request: HttpRequest, row: ChargePoint, current: str) -> dict[str, Any]:
    """For `levity/charger_tabs.html`. `current`: one of the constants, or the label of a model."""
    user: Any = request.user
    page = reverse("levity:ocpp_chargepoint_change", args=[row.pk])
    tabs = [(gettext("Overview"), page, OVERVIEW)]
    for title, model, permission in LISTS:
        if user.has_perm(permission):
            tabs.append(
                (gettext(title), list_url(model, **{FILTER: row.pk}), model._meta.label_lower)
            )
    if user.has_perm("ocpp.view_configurationkey"):
        address = reverse("levity:ocpp_chargepoint_configuration", args=[row.pk])
        tabs.append((gettext("Configuration"), address, CONFIGURATION))
    files, label = _files(row), FileJob._meta.label_lower
    if files and user.has_perm("ocpp.view_filejob"):
        tabs.append((gettext("Files"), list_url(FileJob, **{FILTER: row.pk}), label))
    tabs.append((gettext("Details"), f"{page}?tab={DETAILS}", DETAILS))
    may_send = user.has_perm("ocpp.add_command")
    return {
        "charger": row,
        "charger_page": page,
        "charger_tabs": [(title, url, name == current) for title, url, name in tabs],
        "charger_acts": files if current == label and may_send else [],
    }


def tabs_of_list(request: HttpRequest, label: str) -> dict[str, Any]:
    """The same above a list that shows the rows of one charger; nothing above any other list."""
    chosen = request.GET.get(FILTER, "")
    known = (Transaction._meta.label_lower, Message._meta.label_lower, FileJob._meta.label_lower)
    if label not in known or not (chosen.isascii() and chosen.isdigit() and len(chosen) <= 18):
        return {}
    user: Any = request.user
    if not user.has_perm("ocpp.view_chargepoint"):
        return {}
    row = visible(ChargePoint.objects.all(), user).filter(pk=int(chosen)).first()
    return tabs_of(request, row, label) if row is not None else {}


def _files(row: ChargePoint) -> list[tuple[str, str]]:
    """What can be asked for; nothing where levity.files is not installed."""
    try:
        return [
            (gettext("Fetch diagnostics"), reverse("levity:files_fetch", args=[row.pk])),
            (gettext("Update firmware"), reverse("levity:files_update", args=[row.pk])),
        ]
    except NoReverseMatch:
        return []
