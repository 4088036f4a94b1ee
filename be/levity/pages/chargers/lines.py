"""What the page of a charge point says about heartbeats, pings and the line they go over."""

from django.utils.html import format_html

from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.conf import setting
from levity.ocpp.models import ChargePoint
from levity.ocpp.rules.intervals import heartbeat_interval, learned_interval, ping_interval

__all__ = ["said_of_line"]


def said_of_line(charge_point: ChargePoint) -> str:
    """The intervals that hold, who says so, and the evidence for what was learned."""
    quirks = quirks_of(charge_point)
    silence = charge_point.learned_silence
    seconds = heartbeat_interval(
        charge_point.heartbeat_interval, silence, quirks, setting("OCPP_HEARTBEAT_INTERVAL")
    )
    pings = ping_interval(charge_point.ping_interval, quirks, setting("OCPP_PING_INTERVAL"))
    if charge_point.heartbeat_interval:
        origin = "set on this charge point"
    elif silence and seconds == learned_interval(silence):
        origin = "learned about its line"
    elif quirks.heartbeat_interval:
        origin = f"from the quirk profile {quirks.name}"
    else:
        origin = "the default"
    said = f"Heartbeat every {seconds} s ({origin}); " + (
        f"a websocket ping every {pings:g} s." if pings else "no websocket pings."
    )
    if not charge_point.learned_evidence:
        return said
    return format_html(
        "{}<br>{}",
        said,
        f"Learned: {charge_point.learned_evidence}. An interval that is set below takes "
        "precedence; the action “Forget what was learned about the line” on the list of charge "
        "points starts over.",
    )
