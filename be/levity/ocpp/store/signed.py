"""Signed meter values of sessions, as they were sent, and what their signatures are worth."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from levity.ocpp.models import MeterKey, Transaction
from levity.ocpp.rules.signed.containers import Container, unwrapped
from levity.ocpp.rules.signed.verdict import EnteredKey, Session, judge, session_of
from levity.ocpp.rules.values import SIGNED
from levity.ocpp.store.samples.elements import KeptSample, samples_of
from levity.ocpp.store.samples.reading import of_transactions

__all__ = ["judged", "signed_sessions"]

# Signs: a value that is called raw and as long as this may be signed data all the same.
LONG = 100
NOTHING = Session(None, "", None, None, None, "", ())


def signed_sessions(pks: Collection[int]) -> dict[int, Session]:
    """Of these sessions, in a fixed number of statements; those without signed data are among
    them, without a verdict."""
    found = {pk: samples_of(elements) for pk, elements in of_transactions(pks).items()}
    places = Transaction.objects.filter(pk__in=[pk for pk in found if any(_signed(found[pk]))])
    rows = list(places.values_list("pk", "charge_point_id", "connector"))
    keys = _keys({charger for _, charger, _ in rows})
    judged_now = {pk: _session(found[pk], keys.get(at, ()), number) for pk, at, number in rows}
    return {pk: judged_now.get(pk, NOTHING) for pk in pks}


def judged(item: Transaction, samples: Sequence[KeptSample]) -> Session:
    """Of one session whose samples have been read already; asks the database only where some of
    them are signed."""
    if not any(_signed(samples)):
        return NOTHING
    keys = _keys({item.charge_point_id}).get(item.charge_point_id, ())
    return _session(samples, keys, item.connector)


def _signed(samples: Iterable[KeptSample]) -> Iterable[tuple[KeptSample, Container]]:
    for sample in samples:
        if sample.format == SIGNED or (sample.value is None and len(sample.raw_value) >= LONG):
            container = unwrapped(sample.raw_value)
            if container is not None:
                yield sample, container


def _session(
    samples: Iterable[KeptSample], keys: Iterable[EnteredKey], connector: int | None
) -> Session:
    entered = list(keys)
    seen: set[Container] = set()
    values = []
    for sample, container in _signed(samples):
        # What stood in MeterValues may stand in the stop once more.
        if container in seen:
            continue
        seen.add(container)
        at = sample.sampled_at
        mine = [key for key in entered if key.is_for(connector, at)]
        values.append(judge(container, at, sample.context, mine))
    return session_of(values)


def _keys(chargers: Collection[int]) -> dict[int, list[EnteredKey]]:
    found: dict[int, list[EnteredKey]] = defaultdict(list)
    rows = MeterKey.objects.filter(charge_point__in=list(chargers)).order_by("pk")
    columns = ("charge_point_id", "key", "connector", "since", "until")
    for charger, *values in rows.values_list(*columns):
        found[charger].append(EnteredKey(*values))
    return found
