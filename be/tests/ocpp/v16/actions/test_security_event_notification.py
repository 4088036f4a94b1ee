"""SecurityEventNotification (OCPP 1.6 security whitepaper)."""

from levity.ocpp.effects import NoteSecurityEvent
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.security_event_notification import security_event_notification
from tests.ocpp.charger import at, wire
from tests.ocpp.states import request


def test_it_is_kept_whatever_its_type() -> None:
    """The list of the whitepaper is open to vendors; a time that can't be true is none."""
    for kind, said, when in (
        ("TamperDetectionActivated", wire(5), at(5)),
        ("x" * 99, "when?", None),
    ):
        payload = {"type": kind, "timestamp": said, "techInfo": "lid"}
        assert security_event_notification(
            request("SecurityEventNotification", payload)
        ) == Response({}, (NoteSecurityEvent(kind[:64], "lid", when),))
