"""SecurityEventNotification (OCPP 1.6 security whitepaper, 5.13): the charger saw something."""

from levity.ocpp.effects import NoteSecurityEvent
from levity.ocpp.request import Request, Response
from levity.ocpp.wire.fields import text, timestamp

__all__ = ["security_event_notification"]


def security_event_notification(request: Request) -> Response:
    """Keep it, of whatever type: the list of the whitepaper is open to vendors."""
    payload = request.payload
    event = NoteSecurityEvent(
        text(payload, "type", 64), text(payload, "techInfo"), timestamp(payload, "timestamp")
    )
    return Response({}, (event,))
