"""Writing what a person is to look at: quarantine, security events, unknown id tags."""

from collections.abc import Sequence
from typing import Any

import orjson

from levity.db.rows import insert_rows, update_rows, upsert_rows
from levity.ocpp.effects import NoteSecurityEvent, Quarantine, RecordIdTag, ResolveQuarantined
from levity.ocpp.models import IdTag, QuarantinedMessage, SecurityEvent
from levity.ocpp.references import payload_hash
from levity.ocpp.store.budget import KEPT_WHOLE, SAMPLE, log_budget
from levity.ocpp.store.values import Outcome, each

__all__ = ["record_id_tags", "resolve_quarantined", "write_quarantine", "write_security_events"]


def write_quarantine(outcomes: Sequence[Outcome]) -> None:
    """Keep what was answered but is not recorded; count what came before."""
    rows: dict[tuple[int, str, str], tuple[Any, ...]] = {}
    for outcome, charge_point, effect in each(outcomes, Quarantine):
        is_own = effect.displaced is None
        payload = outcome.payload if is_own else effect.displaced
        action = outcome.action if is_own else outcome.arrival.version.ends
        received_at = effect.displaced_at or outcome.arrival.at
        key = (charge_point.id, action, payload_hash(payload))
        text, cut = _within_budget(charge_point.id, payload)
        rows[key] = (
            *key,
            outcome.unique_id if is_own else "",
            outcome.arrival.connection if is_own else None,
            text,
            f"{effect.reason[: 255 - len(cut)]}{cut}",
            effect.transaction_id,
            received_at,
            received_at,
            outcome.arrival.at if effect.resolution else None,
            effect.resolution,
            effect.transaction_id if effect.resolution else None,
        )
    upsert_rows(
        QuarantinedMessage,
        (
            "charge_point_id",
            "action",
            "payload_hash",
            "unique_id",
            "connection",
            "payload",
            "reason",
            "transaction",
            "received_at",
            "last_received_at",
            "resolved_at",
            "resolution",
            "resolved_to_id",
        ),
        list(rows.values()),
        key=("charge_point_id", "action", "payload_hash"),
        update=("last_received_at",),
        add=("repeated",),
    )
    _open_again(outcomes)


def _open_again(outcomes: Sequence[Outcome]) -> None:
    """A stop that had been taken for the end of a session, and is given back in the very words in
    which it waited before, waits again; a person's own word stays."""
    for outcome, charge_point, effect in each(outcomes, Quarantine):
        if effect.displaced is None:
            continue
        QuarantinedMessage.objects.filter(
            charge_point=charge_point.id,
            action=outcome.arrival.version.ends,
            payload_hash=payload_hash(effect.displaced),
            resolved_at__isnull=False,
            resolved_by=None,
        ).update(resolved_at=None, resolution="", resolved_to=None, reason=effect.reason[:255])


def _within_budget(charge_point: int, payload: Any) -> tuple[str, str]:
    """What quarantine keeps of this payload, and what is to be said of it: the figures of a session
    always, its samples within the budget of the log."""
    text = orjson.dumps(payload).decode()
    if len(text) <= KEPT_WHOLE:
        return text, ""
    why = log_budget.why_not(charge_point, len(text))
    if not why:
        return text, ""
    figures = {
        name[:64]: value
        for name, value in (payload.items() if isinstance(payload, dict) else ())
        if not isinstance(value, dict | list) and len(str(value)) <= SAMPLE
    }
    return orjson.dumps(dict(list(figures.items())[:20])).decode(), f" (without its samples: {why})"


def resolve_quarantined(outcomes: Sequence[Outcome]) -> None:
    """Note what has found its transaction; a person's own word stays."""
    rows = [
        (
            effect.quarantined_id,
            outcome.arrival.at,
            effect.resolution,
            effect.transaction_id,
        )
        for outcome, _, effect in each(outcomes, ResolveQuarantined)
    ]
    update_rows(QuarantinedMessage, ("id", "resolved_at", "resolution", "resolved_to_id"), rows)


def write_security_events(outcomes: Sequence[Outcome]) -> None:
    """Insert the security events."""
    insert_rows(
        SecurityEvent,
        ("charge_point_id", "type", "detail", "at", "received_at"),
        [
            (
                charge_point.id,
                effect.type[:64],
                effect.detail,
                effect.at or outcome.arrival.at,
                outcome.arrival.at,
            )
            for outcome, charge_point, effect in each(outcomes, NoteSecurityEvent)
        ],
    )


def record_id_tags(outcomes: Sequence[Outcome]) -> None:
    """Note unknown tags for approval, each once."""
    new = {
        effect.id_tag.lower(): (effect.id_tag, "Recorded", outcome.arrival.at, effect.type)
        for outcome, _, effect in each(outcomes, RecordIdTag)
    }
    rows = [new[key] for key in sorted(new)]
    insert_rows(IdTag, ("id_tag", "status", "created_at", "type"), rows, new_only=True)
