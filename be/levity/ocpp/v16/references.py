"""What a Call's payload points to, so that it can be loaded before the handler runs.

Tolerant: what can't be read points to nothing; the handler is the one that complains.
"""

from collections.abc import Mapping
from typing import Any

from levity.ocpp.references import References, payload_hash
from levity.ocpp.wire.fields import INT4_MAX, integer, readable
from levity.ocpp.wire.frames import Call, Frame, Malformed, OcppError

__all__ = ["references"]

NOTHING = References()
CONNECTORS = References(needs_connectors=True)
SIGNING = References(needs_signing=True)


def references(frame: Frame, text: str) -> References:
    """What this frame's payload points to (OCPP 1.6); `text` is the frame as it came."""
    if isinstance(frame, Malformed) and frame.kind == 2 and frame.action == "StartTransaction":
        # Half a StartTransaction is answered with an id, too.
        return References(payload_hash=payload_hash(text), needs_new_id=True)
    if not isinstance(frame, Call):
        return NOTHING
    payload = frame.payload if isinstance(frame.payload, Mapping) else {}
    match frame.action:
        case "StatusNotification" | "BootNotification":
            return CONNECTORS
        case "MeterValues":
            return References(
                transaction_id=_transaction_id(payload),
                needs_connectors=True,
                has_samples=True,
            )
        case "StartTransaction":
            return References(
                id_tag=_id_tag(payload),
                start=payload,
                payload_hash=payload_hash(frame.payload),
                needs_connectors=True,
                needs_new_id=True,
                needs_chain=True,
                told_at=payload.get("timestamp"),
            )
        case "StopTransaction":
            return References(
                id_tag=_id_tag(payload),
                transaction_id=_transaction_id(payload),
                needs_connectors=True,
                needs_chain=True,
                told_at=payload.get("timestamp"),
            )
        case "SignCertificate":
            return SIGNING
        case "Authorize":
            return References(id_tag=_id_tag(payload))
    return NOTHING


def _transaction_id(payload: Mapping[str, Any]) -> int | None:
    try:
        # Not -1 and 0, which mean "none"; nor 2^63-1 (Alfen 5.8), which is none of ours.
        return integer(payload, "transactionId", 1, INT4_MAX)
    except OcppError:
        return None


def _id_tag(payload: Mapping[str, Any]) -> str:
    return readable(payload, "idTag") or ""
