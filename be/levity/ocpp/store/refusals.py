"""Refused connections: listed once for each identity, address, reason and path, with a count.

A flood fills nothing, and is told in the other logs every ten minutes only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from levity.db.rows import insert_rows, upsert_rows
from levity.ocpp.chargers.security import keys
from levity.ocpp.chargers.security.reasons import reason
from levity.ocpp.models import (
    RefusedHandshake,
    SecurityEvent,
)
from levity.ocpp.rules.admission import Verdict
from levity.ocpp.store.values import Outcome
from levity.ocpp.wire.frames import storable
from levity_ws.rpc.envelope import Authenticate, EdgeRefusal, Refuse

__all__ = ["list_refusals", "write_refusals"]


MOST_AT_ONCE = 100
"""Different refusals of one batch that are listed; a flood has more."""
NEWS_AFTER = timedelta(minutes=10)
"""The same refusal again is told in the other logs only after so long."""
ATTACKS = frozenset(
    {"no-key", "key", "username", "header", "locked", "no-tls"}
    | {"no-certificate", "certificate", "certificate-name"}
)
"""Reasons for which somebody may be posing as a charge point of ours."""
Key = tuple[str, str, str, str]


def list_refusals(refusals: Iterable[EdgeRefusal], edge: str) -> None:
    """List those that somebody else refused; in a transaction."""
    write_refusals((), refusals, edge)


def write_refusals(
    judged: Sequence[tuple[Outcome, Verdict]], told: Iterable[EdgeRefusal], edge: str
) -> None:
    """List these, and mark the outcomes whose refusal is news; in a transaction."""
    refused = [item for item in judged if item[1].reason]
    seen: dict[Key, EdgeRefusal] = {}
    digests: dict[Key, tuple[str, int]] = {}
    for outcome, verdict in refused:
        item = _as_refusal(outcome, verdict)
        if _add(seen, item) and verdict.key is not None:
            digests[_key(item)] = keys.digest_of(verdict.key), len(keys.canonical(verdict.key))
    for item in told:
        _add(seen, item)
    before = {
        row[:4]: row[4:]
        for row in RefusedHandshake.objects.filter(
            identity__in={key[0] for key in seen},
            address__in={key[1] for key in seen},
            reason__in={key[2] for key in seen},
        ).values_list("identity", "address", "reason", "path", "count", "last_at")
    }
    # Another path is a row of its own, and no news of its own: one could go on for ever.
    last: dict[tuple[str, ...], datetime] = {}
    for key, (_, at) in before.items():
        last[key[:3]] = max(at, last.get(key[:3], at))
    _mark_news(refused, last)
    rows = []
    for key in sorted(seen):
        item = seen[key]
        count = item.count + (before[key][0] if key in before else 0)
        rows.append((*key, *_columns(item, min(count, 2**31 - 1), edge, digests.get(key))))
    upsert_rows(
        RefusedHandshake,
        (*_ONCE, *_COLUMNS),
        rows,
        key=_ONCE,
        update=[name for name in _COLUMNS if name != "first_at"],
    )


# By path, too: behind one router, all chargers have one address.
_ONCE = ("identity", "address", "reason", "path")
_COLUMNS = (
    *("status", "count", "first_at", "last_at", "detail", "user_agent", "subprotocols"),
    *("secure", "edge", "key_digest", "key_length"),
)


def _columns(
    item: EdgeRefusal, count: int, edge: str, key: tuple[str, int] | None
) -> tuple[Any, ...]:
    return (
        item.status,
        count,
        datetime.fromtimestamp(item.first_at, UTC),
        datetime.fromtimestamp(item.last_at, UTC),
        storable(item.detail)[:255],
        storable(item.user_agent)[:255],
        storable(", ".join(item.subprotocols))[:255],
        item.secure,
        edge[:100],
        *(key or ("", None)),
    )


def _as_refusal(outcome: Outcome, verdict: Verdict) -> EdgeRefusal:
    event = outcome.arrival.event
    assert isinstance(event, Authenticate)
    status = next((item.status for item in outcome.commands if isinstance(item, Refuse)), 0)
    return EdgeRefusal(
        charge_point=event.charge_point,
        remote=event.remote,
        reason=verdict.reason,
        status=status,
        detail=verdict.detail,
        path=event.path,
        user_agent=event.user_agent,
        subprotocols=event.subprotocols,
        secure=event.secure,
        first_at=event.at,
        last_at=event.at,
    )


def _key(item: EdgeRefusal) -> Key:
    word = storable(item.reason.replace(" ", "-"))[:32]
    address, path = storable(item.remote)[:64], storable(item.path)[:255]
    return storable(item.charge_point)[:48], address, word, path


def _add(seen: dict[Key, EdgeRefusal], item: EdgeRefusal) -> bool:
    """Count it among the others; False if there are too many different ones already."""
    key = _key(item)
    known = seen.get(key)
    if known is None:
        if len(seen) >= MOST_AT_ONCE:
            return False
        seen[key] = item
        return True
    seen[key] = replace(item, count=known.count + item.count, first_at=known.first_at)
    return True


def _mark_news(
    refused: Sequence[tuple[Outcome, Verdict]], last: Mapping[tuple[str, ...], datetime]
) -> None:
    """Tell the other logs of the first one, and then every ten minutes."""
    events = []
    told: set[tuple[str, ...]] = set()
    for outcome, verdict in refused:
        key = _key(_as_refusal(outcome, verdict))[:3]
        if key in told or len(told) >= MOST_AT_ONCE:
            continue
        told.add(key)
        if key in last and outcome.arrival.at - last[key] < NEWS_AFTER:
            continue
        outcome.is_news = True
        if outcome.charge_point is not None and verdict.reason in ATTACKS:
            what = f"{reason(verdict.reason).title}, from {key[1]}"
            detail = f"{what} ({verdict.detail})" if verdict.detail else what
            kind = "AuthenticationLocked" if verdict.reason == "locked" else "AuthenticationFailed"
            at = outcome.arrival.at
            events.append((outcome.charge_point.id, kind, storable(detail), at, at))
    insert_rows(SecurityEvent, ("charge_point_id", "type", "detail", "at", "received_at"), events)
