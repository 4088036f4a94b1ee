"""What goes on at a charge point now: its connectors, its power, and the panel above its form."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_noop

from levity.ocpp.decisions.reservations import open_reservations
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConnectionEvent,
    Connector,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    Message,
    MeterValue,
    QuarantinedMessage,
    Reservation,
    SecurityEvent,
    SecurityProfile,
    Site,
    StatusEvent,
    Transaction,
)
from levity.pages.chargers.charge_point_forms import rule_of
from levity.pages.chargers.conversations import conversation_links
from levity.pages.chargers.replacing import replace_link
from levity.pages.chargers.retiring import retire_link
from levity.pages.chargers.security import security_link
from levity.pages.kit.formats import (
    ago,
    and_more,
    badge,
    change_link,
    excerpt,
    kwh,
    list_url,
    local_time,
    said,
    shown_time,
    silent_for,
    site_zone,
    watts,
)
from levity.pages.kit.sentences import sentence

__all__ = ["connector_lines", "power_of", "silence", "whats_on"]

LATEST = 5


def connector_lines(charge_point: ChargePoint) -> list[tuple[str]]:
    # Connector 0 is the charge point as a whole (OCPP 1.6): of interest when it is not well.
    shown = [
        item
        for item in charge_point.connectors.all()
        if item.number or item.status not in ("", "Available") or error_of(item)
    ]
    lines: list[tuple[str]] = [
        (
            format_html(
                '<span class="lv-soft">{}</span> {} {} {}',
                item.number,
                badge(item.status or gettext("unknown")),
                badge(error_of(item), "bad") if error_of(item) else "",
                _charging(item),
            ),
        )
        for item in shown[:12]
    ]
    if more := and_more(len(shown) - 12):
        text = gettext("%(and_more)s connectors") % {"and_more": more.strip()}
        lines.append((format_html('<span class="lv-soft">{}</span>', text),))
    return lines


def error_of(connector: Connector) -> str:
    return "" if connector.error_code == "NoError" else excerpt(connector.error_code, 40)


def _charging(connector: Connector) -> str:
    running = connector.transaction
    if running is None:
        return ""
    interrupted = running.state != Transaction.State.ACTIVE
    if interrupted and connector.status == "Available":
        return ""
    what = gettext("interrupted by a boot") if interrupted else kwh(running.energy)
    return change_link(Transaction, running.pk, f"#{running.pk} {what}")


def _acts(charge_point: ChargePoint, connector: Connector) -> list[tuple[str, str]]:
    """(what can be done there, where): the form behind it is filled in already."""
    if not connector.number:
        return []
    running = connector.transaction
    if running is not None and running.state == Transaction.State.ACTIVE:
        first = (gettext("Stop"), "stop", f"transactionId={running.pk}")
    else:
        first = (gettext("Start"), "start", f"connectorId={connector.number}")
    acts = (first, (gettext("Unlock"), "unlock", f"connectorId={connector.number}"))
    return [
        (title, f"{reverse('levity:ocpp_chargepoint_send', args=[charge_point.pk, slug])}?{query}")
        for title, slug, query in acts
    ]


def reserved_lines(charge_point: ChargePoint) -> dict[int, str]:
    """By connector: for whom it is reserved, and until when."""
    return {
        row.connector: sentence(
            gettext("{reserved} for {id_tag} until {when}"),
            reserved=change_link(Reservation, row.pk, gettext("reserved")),
            id_tag=row.id_tag,
            when=shown_time(row.ends_at, site_zone(charge_point)),
        )
        for row in reversed(open_reservations(charge_point, timezone.now()))
        if row.state != Reservation.State.REQUESTED
    }


def silence(charge_point: ChargePoint) -> str:
    """For how long nothing was heard, where two heartbeats are missing."""
    if not charge_point.silent or charge_point.silent_since is None:
        return ""
    return silent_for(charge_point.silent_since, timezone.now())


def power_of(charge_point: ChargePoint) -> Any:
    if not charge_point.online or charge_point.silent:
        return None
    running = [item.transaction for item in charge_point.connectors.all() if item.transaction]
    known = [
        item.power
        for item in running
        if item.power is not None and item.state == Transaction.State.ACTIVE
    ]
    return sum(known) if known else None


def _configuration_link(request: HttpRequest, row: ChargePoint) -> list[tuple[str, str]]:
    """The page of its configuration (pages/configuration), for who may see it."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_configurationkey"):
        return []
    return [
        (gettext("Configuration"), reverse("levity:ocpp_chargepoint_configuration", args=[row.pk]))
    ]


def _facts(row: ChargePoint) -> list[tuple[str, Any]]:
    """What the charger has said of itself, and what people have written down."""
    kind = f"{row.vendor} {row.model}".strip()
    serial = row.serial_number or row.charge_box_serial_number
    meter = f"{row.meter_type} {row.meter_serial_number}".strip()
    site = change_link(Site, row.site_id, row.site) if row.site_id else ""
    facts = (
        (gettext_noop("Make"), excerpt(kind, 100)),
        (gettext_noop("Firmware"), excerpt(row.firmware_version, 100)),
        (
            gettext_noop("Serial number"),
            excerpt(serial, 100),
        ),
        (
            gettext_noop("Meter"),
            excerpt(meter, 100),
        ),
        (gettext_noop("SIM card"), excerpt(row.iccid, 40)),
        (gettext_noop("Site"), site),
        (gettext_noop("Security profile"), said(SecurityProfile(row.security_profile).label)),
        (gettext_noop("Who may charge"), rule_of(row)),
        (gettext_noop("First seen"), shown_time(row.created_at, site_zone(row))),
        (gettext_noop("Notes"), excerpt(row.notes, 500)),
    )
    return [(gettext(title), value) for title, value in facts if value]


def whats_on(request: HttpRequest, charge_point: ChargePoint) -> dict[str, Any]:
    """What the panel above the form shows."""
    may = request.user.has_perm
    zone = site_zone(charge_point)
    sees_chain = may("ocpp.view_connector")
    kept = reserved_lines(charge_point) if may("ocpp.view_reservation") else {}
    connectors = [
        {
            "number": item.number,
            "page": change_link(Connector, item.pk, item.number) if sees_chain else item.number,
            "status": badge(item.status or gettext("unknown")),
            "since": shown_time(item.status_since, zone),
            "error": error_of(item),
            "detail": " · ".join(
                excerpt(part, 120) for part in (item.info, item.vendor_error_code) if part
            ),
            "charging": format_html("{} {}", _charging(item), kept[item.number])
            if item.number in kept
            else _charging(item),
            "power": watts(item.transaction.power if item.transaction else None),
            "acts": _acts(charge_point, item) if may("ocpp.add_command") else (),
        }
        for item in charge_point.connectors.all()
    ]
    now: dict[str, Any] = {
        "charge_point": charge_point,
        "now_connectors": connectors,
        "now_power": watts(power_of(charge_point)),
        "now_since": local_time(
            charge_point.connected_at if charge_point.online else charge_point.disconnected_at,
            zone,
        ),
        "now_silence": silence(charge_point),
        "now_seen": ago(charge_point.last_seen_at, timezone.now()),
        "now_seen_at": local_time(charge_point.last_seen_at, zone),
        "now_booted": local_time(charge_point.booted_at, zone),
        "now_facts": _facts(charge_point),
        "now_links": [
            (gettext(title), list_url(model, charge_point__id__exact=charge_point.pk))
            for title, model in (
                (gettext_noop("Transactions"), Transaction),
                (gettext_noop("Meter values"), MeterValue),
                (gettext_noop("Messages"), Message),
                (gettext_noop("Commands"), Command),
                (gettext_noop("Connection events"), ConnectionEvent),
                (gettext_noop("Status events"), StatusEvent),
                (gettext_noop("Quarantine"), QuarantinedMessage),
                (gettext_noop("Security events"), SecurityEvent),
                (gettext_noop("Reservations"), Reservation),
                (gettext_noop("Local list"), LocalList),
                (gettext_noop("Charging profiles"), InstalledProfile),
                (gettext_noop("Trusted certificates"), InstalledCertificate),
            )
            if may(f"ocpp.view_{model._meta.model_name}")
        ]
        + _configuration_link(request, charge_point)
        + conversation_links(request, charge_point)
        + security_link(request, charge_point)
        + replace_link(request, charge_point)
        + retire_link(request, charge_point),
    }
    if may("ocpp.view_command"):
        now["now_commands"] = [
            {
                "pk": item.pk,
                "link": change_link(Command, item.pk, item.action),
                "at": local_time(item.created_at, zone),
                "state": gettext(item.get_state_display()),
                "result": item.result_status or item.confirmed_by or item.error_description,
            }
            for item in charge_point.commands.order_by("-id")[:LATEST]
        ]
    return now
