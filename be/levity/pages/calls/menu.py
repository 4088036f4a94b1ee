"""The menu on the charger's page: what it can be asked to do, grouped by what people want, with the
last answer beside each.
"""

from contextlib import suppress
from typing import Any

from django.db.models import F
from django.db.models.fields.json import KeyTransform
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop

from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.versions import DONE
from levity.pages.calls.kinds import KINDS, Kind
from levity.pages.kit.formats import badge, change_link, excerpt, said, shown_time, site_zone

__all__ = ["menu_now"]

# What somebody who stands before the charger wants.
FIRST = ("start", "stop", "unlock", "reset-soft")
# What has a page of its own, with more than the charger's answer: by what its form would be.
RESERVE = "reserve"
# Those of levity.files, where that is installed: they go first in their group.
FILES = (
    (gettext_noop("Fetch diagnostics"), "files_fetch", "log file upload download getdiagnostics"),
    (gettext_noop("Update firmware"), "files_update", "firmware version updatefirmware"),
)
FILES_GROUP = "Diagnostics and firmware"
# Among the newest commands of the charger the last answers are looked for.
LOOK_BACK = 200
_DESCRIBED = [kind.described for kind in KINDS.values() if kind.described]
FIXED = sorted({key for described in _DESCRIBED for key in described.fixed or ()})
OPEN = (Command.State.QUEUED, Command.State.SENT)


def menu_now(request: HttpRequest, charge_point: ChargePoint) -> dict[str, Any]:
    """For who may send commands; the answers for who may see them: one query."""
    user: Any = request.user
    if not user.has_perm("ocpp.add_command"):
        return {}
    newest = _newest(charge_point) if user.has_perm("ocpp.view_command") else []
    zone = site_zone(charge_point)
    files = _about_files(charge_point)
    groups: dict[str, list[dict[str, Any]]] = {}
    for slug, kind in KINDS.items():
        found = next((row for row in newest if _is_of(kind, row)), None)
        if kind.group not in groups:
            groups[kind.group] = [*files] if kind.group == FILES_GROUP else []
        groups[kind.group].append(
            {
                "slug": slug,
                "title": said(kind.title),
                "url": _address(charge_point, slug),
                "is_dangerous": kind.is_dangerous,
                "words": _words(kind),
                "last": _last(found, zone) if found else "",
            }
        )
    return {
        "menu": [(said(group), entries) for group, entries in groups.items()],
        "menu_first": [
            *(
                (said(KINDS[slug].title), _address(charge_point, slug), KINDS[slug].is_dangerous)
                for slug in FIRST
            ),
            *((entry["title"], entry["url"], False) for entry in files),
        ],
    }


def _newest(charge_point: ChargePoint) -> list[dict[str, Any]]:
    fixed = {f"fixed_{key}": KeyTransform(key, "payload") for key in FIXED}
    rows = Command.objects.filter(charge_point=charge_point).order_by("-id")
    names = ("action", "state", "result_status", "confirmed_by", "created_at")
    return list(rows.values(*names, key=F("pk"), **fixed)[:LOOK_BACK])


def _is_of(kind: Kind, row: dict[str, Any]) -> bool:
    described = kind.described
    if described is None or row["action"] != described.action:
        return False
    return all(row[f"fixed_{key}"] == value for key, value in (described.fixed or {}).items())


def _last(row: dict[str, Any], zone: Any) -> str:
    answer, state = row["result_status"], Command.State(row["state"])
    if answer:
        shown = badge(excerpt(answer, 30), "good" if answer in DONE else "bad")
    elif state == Command.State.ANSWERED or row["confirmed_by"]:
        shown = badge(gettext("answered"), "good")
    else:
        tone = "busy" if state in OPEN else "plain" if state == Command.State.CANCELLED else "bad"
        shown = badge(gettext(str(state.label)), tone)
    when = shown_time(row["created_at"], zone)
    return format_html("{} {}", shown, change_link(Command, row["key"], when))


def _about_files(charge_point: ChargePoint) -> list[dict[str, Any]]:
    found = []
    for title, name, words in FILES:
        with suppress(NoReverseMatch):
            address = reverse(f"levity:{name}", args=[charge_point.pk])
            found.append(
                {
                    "slug": name,
                    "title": said(title),
                    "url": address,
                    "words": f"{title} {said(title)} {words}".lower(),
                }
            )
    return found


def _address(charge_point: ChargePoint, slug: str) -> str:
    if slug == RESERVE:
        return f"{reverse('levity:ocpp_reservation_reserve')}?charge_point={charge_point.pk}"
    return reverse("levity:ocpp_chargepoint_send", args=[charge_point.pk, slug])


def _words(kind: Kind) -> str:
    described = kind.described
    more = f"{described.action} {described.words}" if described else "json raw any action"
    # In the language of the page, and in OCPP's.
    titles = f"{kind.title} {kind.group} {said(kind.title)} {said(kind.group)}"
    return f"{titles} {more}".lower()
