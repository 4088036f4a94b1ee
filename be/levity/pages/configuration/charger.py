"""The configuration of one charger: its keys, reading them again, changing one, its history."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.commands.queueing import fingerprint
from levity.ocpp.commands.sending import SEND
from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import configuration
from levity.ocpp.decisions.configuration_templates import CHANGE
from levity.ocpp.models import ChargePoint, Command, ConfigurationChange, ConfigurationKey
from levity.ocpp.versions import version_of
from levity.ocpp.visibility import visible
from levity.pages.chargers.charger_tabs import CONFIGURATION, tabs_of
from levity.pages.chargers.csv_export import streamed_csv
from levity.pages.configuration.drift import drift_of, offers_for
from levity.pages.configuration.forms import ValueForm
from levity.pages.configuration.rows import (
    PAGE,
    Line,
    csv_rows,
    for_page,
    found,
    lines_of,
    shown_value,
)
from levity.pages.kit import live
from levity.pages.kit.formats import ago, change_link, excerpt, list_url, shown_time, site_zone
from levity.pages.kit.once import sent_once
from levity.pages.site import site

__all__ = ["charge_point_of", "charger_urls", "may_change", "page_context"]

LATEST_COMMANDS, LATEST_CHANGES = 5, 20
# Seconds between two looks while something is under way.
BUSY_EVERY = 2.0


def charger_urls() -> list[URLPattern]:
    """The page of a charger, and what its buttons do."""
    view = site.admin_view
    return [
        path("charger/<int:charge_point_id>/", view(page_view), name=PAGE),
        path("charger/<int:charge_point_id>/read/", view(read_view), name=f"{PAGE}_read"),
        path("charger/<int:charge_point_id>/change/", view(change_view), name=f"{PAGE}_key"),
        path("charger/<int:charge_point_id>/csv/", view(csv_view), name=f"{PAGE}_csv"),
    ]


def page_view(request: HttpRequest, charge_point_id: int) -> HttpResponse:
    """All keys, searched; what is being asked now; the latest changes."""
    row = charge_point_of(request, charge_point_id)
    lines = lines_of(row)
    words = request.GET.get("q", "")[:200]
    zone, may = site_zone(row), may_change(request)
    commands = _commands(row)
    is_busy = any(item.state in ("queued", "sent") for item in commands)
    state = getattr(row, "configuration_state", None)
    shown = found(lines, words) if words else lines
    drift = drift_of(row)
    should_be = {
        item.wanted.key.lower(): f"{item.wanted.value} ({item.wanted.template})"
        for item in (drift.differences if drift is not None else ())
    }
    user: Any = request.user
    may_assign = user.has_perm(CHANGE)
    context = {
        **page_context(request, f"Configuration of {row}", row),
        **tabs_of(request, row, CONFIGURATION),
        "words": words,
        "warning": _warning(row),
        "count": len(lines),
        "lines": [
            {**for_page(line, row, zone, may=may), "drift": should_be.get(line.row.name, "")}
            for line in shown
        ],
        "drift": drift,
        "offers": offers_for(row) if may_assign else [],
        "may_assign": may_assign,
        "read": ago(state.read_at, timezone.now()) if state and state.read_at else "",
        "read_at": shown_time(state.read_at, zone) if state and state.read_at else "",
        "is_busy": is_busy,
        "commands": [_of_command(item, zone) for item in commands],
        "changes": [_of_change(item, zone) for item in _changes(row)],
        "all_changes": list_url(ConfigurationChange, charge_point__id__exact=row.pk),
        "may_change": may,
        "live_every": BUSY_EVERY if is_busy else live.EVERY,
        "live_now": live.now_of_browsers(),
    }
    if live.wants_changes(request):
        parts = {
            f"lv-{name}": live.rendered(f"levity/configuration_{name}.html", context, request)
            for name in ("now", "keys", "changes")
        }
        return live.changed_page(request, parts, every=context["live_every"])
    return TemplateResponse(request, "levity/configuration.html", context)


@sent_once
def read_view(request: HttpRequest, charge_point_id: int) -> HttpResponse:
    """Ask the charger for all of its keys."""
    row = charge_point_of(request, charge_point_id)
    if request.method != "POST":
        return redirect(f"levity:{PAGE}", row.pk)
    configuration.read_again(row, request.user)
    if not row.online:
        messages.info(request, "The charger is offline. It is asked when it is back, within 1 h.")
    return redirect(f"levity:{PAGE}", row.pk)


def change_view(request: HttpRequest, charge_point_id: int) -> HttpResponse:
    """The form of one key, and its sending."""
    row = charge_point_of(request, charge_point_id)
    if not may_change(request):
        raise PermissionDenied
    key = request.GET.get("key", "").strip()
    known = ConfigurationKey.objects.filter(charge_point=row, name=key.lower()).first()
    if not key or len(key) > 50:
        raise Http404("no key is named")
    info = version_of(row.subprotocol).configuration.about(key)
    danger = configuration.danger_of(row, key, known)
    options: dict[str, Any] = {
        "key": known.key if known is not None else key,
        "info": info,
        "now": known.value_now(row.booted_at) if known is not None else None,
        "most": _most(row, info.limit_key if info is not None else ""),
        "danger": danger,
    }
    form = ValueForm(request.POST if request.method == "POST" else None, **options)
    if request.method == "POST" and form.is_valid():
        try:
            sent = configuration.change(
                row,
                options["key"],
                form.as_text(),
                request.user,
                sure=form.is_sure,
                idempotency_key=_key_of(request, form, options["key"]),
            )
        except Refused as error:
            form.add_error("value", error.sentence)
        else:
            if sent.is_new:
                messages.success(request, f"{options['key']} is being changed.")
            return redirect(f"levity:{PAGE}", row.pk)
    context = {
        **page_context(request, f"Change {options['key']}", row),
        "form": form,
        "media": form.media,
        "info": info,
        "known": known,
        "now": shown_value(options["now"], info.unit if info is not None else ""),
        "note": _note(row, key),
        "danger": danger,
        "is_boxes": "others" in form.fields,
        "security": reverse("levity:ocpp_chargepoint_security", args=[row.pk]),
        "back": reverse(f"levity:{PAGE}", args=[row.pk]),
    }
    return TemplateResponse(request, "levity/configuration_change.html", context)


def csv_view(request: HttpRequest, charge_point_id: int) -> HttpResponseBase:
    """All keys as a file."""
    row = charge_point_of(request, charge_point_id)
    return streamed_csv(csv_rows(row), "configuration")


def charge_point_of(request: HttpRequest, charge_point_id: int) -> ChargePoint:
    """With its site and its keys; 403 or 404 for who may not see them."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_configurationkey"):
        raise PermissionDenied
    rows = ChargePoint.objects.select_related("site", "configuration_state")
    return get_object_or_404(
        visible(rows.prefetch_related("configuration_keys"), user), pk=charge_point_id
    )


def may_change(request: HttpRequest) -> bool:
    """Whether this person may send commands."""
    user: Any = request.user
    return bool(user.has_perm(SEND))


def page_context(request: HttpRequest, title: str, row: ChargePoint | None) -> dict[str, Any]:
    """What all of these pages show around them."""
    return {
        **site.each_context(request),
        "opts": ConfigurationKey._meta,
        "title": title,
        "charge_point": row,
        "page": PAGE,
    }


def _warning(row: ChargePoint) -> str:
    """What to think of before this make is asked."""
    profile = quirks_of(row)
    if profile.reads_configuration:
        return ""
    return f"{profile.title} is not asked for its configuration without your word: {profile.facts}"


def _key_of(request: HttpRequest, form: ValueForm, key: str) -> str:
    """A second click is the same command; another value after "back" is another one."""
    content = fingerprint(key, {"value": form.as_text()})[:16]
    return f"{configuration.SOURCE}:{request.user.pk}:{form.cleaned_data['id']}:{content}"


def _commands(row: ChargePoint) -> list[Command]:
    """The latest that read or change keys, whoever asked: a person here, a program, a template."""
    calls = version_of(row.subprotocol).configuration
    actions = (calls.ask([])[0], calls.put("", "")[0])
    rows = Command.objects.filter(charge_point=row, action__in=actions)
    return list(rows.select_related("requested_by").order_by("-pk")[:LATEST_COMMANDS])


def _of_command(command: Command, zone: Any) -> dict[str, Any]:
    payload = command.payload if isinstance(command.payload, dict) else {}
    keys = payload.get("key")
    if "value" in payload:
        what = f"{keys} = {payload['value']}"
    elif isinstance(keys, list) and keys:
        names = ", ".join(map(str, keys[:3]))
        what = f"read {names}" + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
    else:
        what = "read all keys"
    return {
        "pk": command.pk,
        "link": change_link(Command, command.pk, excerpt(what, 120)),
        "at": shown_time(command.created_at, zone),
        "state": command.get_state_display(),
        "result": command.result_status or command.error_code or command.error_description,
        "who": excerpt(command.requested_name or str(command.requested_by or ""), 60),
        "is_open": command.state in ("queued", "sent"),
    }


def _changes(row: ChargePoint) -> list[ConfigurationChange]:
    rows = ConfigurationChange.objects.filter(charge_point=row).order_by("-pk")
    return list(rows[:LATEST_CHANGES])


def _of_change(item: ConfigurationChange, zone: Any) -> dict[str, Any]:
    return {
        "pk": item.pk,
        "at": shown_time(item.at, zone),
        "key": item.key,
        "old": excerpt("unknown" if item.old_value is None else item.old_value or "empty", 200),
        "new": excerpt("no value" if item.new_value is None else item.new_value or "empty", 200),
        "how": item.how,
        "who": item.who_name or "at the charger",
    }


def _most(row: ChargePoint, limit_key: str) -> int | None:
    value = (configuration.values_of(row).get(limit_key.lower()) or "") if limit_key else ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else None


def _note(row: ChargePoint, key: str) -> str:
    lines: list[Line] = [line for line in lines_of(row) if line.row.name == key.lower()]
    return lines[0].note if lines else ""
