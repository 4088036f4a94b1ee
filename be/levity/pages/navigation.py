"""What stands around every page: our stylesheet and script, and the way about."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from levity.ocpp.visibility import is_limited

__all__ = ["account_links", "icon", "live_script", "navigation", "script", "style"]

Item = dict[str, Any]

# Title of the group, then: title, icon, app and model.
GROUPS = (
    (
        "Charging",
        (
            ("Charge points", "ev_station", "ocpp", "chargepoint"),
            ("Sites", "home_work", "ocpp", "site"),
            ("Transactions", "receipt_long", "ocpp", "transaction"),
            ("Id tags", "badge", "ocpp", "idtag"),
            ("Commands", "send", "ocpp", "command"),
            ("Certificates", "verified_user", "ocpp", "chargepointcertificate"),
        ),
    ),
    (
        "Trouble",
        (
            ("Alerts", "notifications", "operation", "alert"),
            ("Alert rules", "forward_to_inbox", "operation", "alertrule"),
            ("Onboarding doctor", "stethoscope", "ocpp", "refusedhandshake"),
            ("Quarantine", "inventory_2", "ocpp", "quarantinedmessage"),
            ("Failed messages", "error", "ocpp", "failedmessage"),
            ("Security events", "shield", "ocpp", "securityevent"),
        ),
    ),
    (
        "Logs",
        (
            ("Messages", "forum", "ocpp", "message"),
            ("Meter values", "speed", "ocpp", "metervalue"),
            ("Connection events", "lan", "ocpp", "connectionevent"),
            ("Status events", "timeline", "ocpp", "statusevent"),
            ("Corrections", "rule", "ocpp", "metervaluecorrection"),
            ("Edges", "hub", "ocpp", "edge"),
            ("Certificate authorities", "approval", "ocpp", "certificateauthority"),
        ),
    ),
    (
        "People",
        (
            ("Users", "person", "auth", "user"),
            ("Groups", "group", "auth", "group"),
            ("Logins", "login", "axes", "accesslog"),
            ("Locked logins", "lock", "axes", "accessattempt"),
        ),
    ),
)


# What of other apps belongs to a site, and is shown to people who see only some sites.
OF_SITES = (("operation", "alert"),)


def style(request: HttpRequest) -> str:
    """The address of our stylesheet."""
    return static("levity/admin.css")


def script(request: HttpRequest) -> str:
    """The address of our script."""
    return static("levity/admin.js")


def live_script(request: HttpRequest) -> str:
    """The address of the script that renews pages."""
    return static("levity/live.js")


def icon(request: HttpRequest) -> str:
    """The address of the picture in the browser's tab."""
    return static("levity/icon.svg")


def navigation(request: HttpRequest) -> list[Item]:
    """The sidebar: only what this person may see."""
    start = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[Item] = [{"items": [start]}]
    for title, entries in GROUPS:
        items = [
            {"title": name, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist")}
            for name, icon, app, model in entries
            if _may_see(request, app, model)
        ]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    return groups


def account_links(request: HttpRequest) -> list[Item]:
    """Behind the person's name: what he can do about his own login."""
    return [
        {"title": title, "link": reverse(f"admin:{name}")}
        for title, name in (
            ("Change password", "password_change"),
            ("Two-factor login", "two_factor"),
        )
    ]


def _may_see(request: HttpRequest, app: str, model: str) -> bool:
    user: Any = request.user
    if (app, model) not in OF_SITES and app != "ocpp" and is_limited(user):
        return False
    return bool(user.has_perm(f"{app}.view_{model}") or user.has_perm(f"{app}.change_{model}"))
