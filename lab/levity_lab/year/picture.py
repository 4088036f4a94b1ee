"""Everything that readers give of a site's log and meter values, wherever these are kept."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from levity.ocpp.conversation.export import export
from levity.ocpp.models import (
    ChargePoint,
    LegacySample,
    Message,
    MessageBlock,
    MeterValue,
    SampleTrace,
    Transaction,
)
from levity.ocpp.store.inventory import inventory
from levity.ocpp.store.messages.codec import facts_of
from levity.ocpp.store.messages.reading import exchange, in_order, newest_first
from levity.ocpp.store.messages.wanted import Wanted
from levity.ocpp.store.samples.coding import decode
from levity.ocpp.store.samples.elements import KeptSample, samples_of
from levity.ocpp.store.samples.plotting import plotted
from levity.ocpp.store.samples.reading import loose, of_transaction

__all__ = ["kept_twice", "picture"]

SOME = 50
"""Each of so many exchanges is asked for by its number, too."""
MOST = 100_000


def picture(prefix: str) -> dict[str, Any]:
    """By reader and charge point (identities with this prefix): how much, and a hash of all of it.

    The same before and after rows have moved. Keys of samples of the releases before are left out:
    they change when these move.
    """
    found: dict[str, Any] = {}
    for charge_point in ChargePoint.objects.filter(identity__startswith=prefix).order_by("pk"):
        pk, name = charge_point.pk, charge_point.identity
        exchanges = list(in_order(pk, Wanted()))
        found[f"{name}: exchanges"] = _hash(exchanges)
        found[f"{name}: newest first"] = _hash(newest_first(Wanted(charge_points=[pk]), 500))
        found[f"{name}: one by one"] = _hash(exchange(each.id) for each in exchanges[::SOME])
        sessions = Wanted(charge_points=[pk], actions=["StartTransaction", "StopTransaction"])
        found[f"{name}: by action"] = _hash(newest_first(sessions))
        errors = Wanted(charge_points=[pk], has_error=True)
        found[f"{name}: errors"] = _hash(newest_first(errors))
        found[f"{name}: export"] = _hash(export(charge_point))
        found[f"{name}: of no session"] = _hash_samples(
            samples_of(loose(pk, datetime(1970, 1, 1, tzinfo=UTC)))
        )
        for session in Transaction.objects.filter(charge_point=pk).order_by("pk"):
            about = f"{name}: session {session.pk}"
            found[f"{about}: samples"] = _hash_samples(samples_of(of_transaction(session.pk)))
            found[f"{about}: plot"] = _hash(plotted(session.pk, lambda _: True, MOST))
            of_session = Wanted(charge_points=[pk], transaction=session.pk)
            found[f"{about}: exchanges"] = _hash(newest_first(of_session))
            found[f"{about}: figures"] = str((session.state, session.energy, session.meter_stop))
    return found


def kept_twice() -> list[str]:
    """What is in two places, or in one of them twice, and figures that don't add up; must be
    empty."""
    exchanges, of_blocks = Counter(Message.objects.values_list("pk", flat=True)), 0
    for facts, count in MessageBlock.objects.values_list("facts", "count").iterator():
        ids = facts_of(bytes(facts)).ids
        exchanges.update(ids)
        of_blocks += count
        if len(ids) != count:
            exchanges[-1] += 2
    elements, of_traces = Counter(MeterValue.objects.values_list("pk", flat=True)), 0
    for data, count in SampleTrace.objects.values_list("data", "elements").iterator():
        ids = decode(bytes(data)).ids()
        elements.update(ids)
        of_traces += count
        if len(ids) != count:
            elements[0] += 2
    # One of a release before goes by the number of its first sample.
    elements.update(-pk for pk in LegacySample.objects.values_list("pk", flat=True))
    odd = [f"exchange {pk} is there {n} times" for pk, n in exchanges.items() if n > 1]
    odd += [f"MeterValue {pk} is there {n} times" for pk, n in elements.items() if n > 1]
    told = {part.name: part.count for part in inventory().parts}
    if told["messages, packed by day"] != of_blocks:
        odd.append(f"levity storage tells of {told} where {of_blocks} exchanges are packed")
    if told["messages, recent"] + of_blocks != len(exchanges):
        odd.append(f"levity storage tells of {told}, and {len(exchanges)} exchanges are there")
    if told["meter values, packed by session"] != of_traces:
        odd.append(f"levity storage tells of {told} where {of_traces} MeterValues are packed")
    return odd


def _hash_samples(samples: Iterable[KeptSample]) -> str:
    return _hash(
        (each.as_sample(), each.received_at, each.transaction_id, each.evse, each.connector)
        for each in samples
    )


def _hash(items: Iterable[object]) -> str:
    digest, count = hashlib.sha256(), 0
    for item in items:
        digest.update(repr(item).encode("utf-8", "surrogatepass"))
        count += 1
    return f"{count} {digest.hexdigest()[:16]}"
