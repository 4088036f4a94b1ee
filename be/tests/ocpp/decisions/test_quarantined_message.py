"""What a quarantined message says, and to which session it may belong."""

from levity.ocpp.decisions.quarantined_message import candidates, stops_of
from levity.ocpp.models import QuarantinedMessage
from tests.ocpp.ledger_chargers import NOW, Charger, at


def waiting(action: str = "StopTransaction") -> QuarantinedMessage:
    return QuarantinedMessage.objects.get(action=action)


def test_the_nearest_sessions_are_proposed_first(charger: Charger) -> None:
    for minute in (0, 100, 200):
        started = charger.started(at(minute), minute)
        charger.stop(started, at(minute + 10), minute + 5)
    charger.stop(4711, at(111), 3000, when=at(300))
    found = candidates(waiting())
    assert [item.started_at for item, _ in found] == [at(100), at(200), at(0)]


def test_the_stop_of_a_start_is_found_behind_very_many_others(charger: Charger) -> None:
    """Only the 200 oldest were looked at, and the session was made without its end."""
    given = charger.start(meterStart=[])["transactionId"]
    charger.stop(given, at(30), 3000)
    [stop] = QuarantinedMessage.objects.filter(action="StopTransaction")
    QuarantinedMessage.objects.bulk_create(
        QuarantinedMessage(
            pk=stop.pk + 1 + number,
            charge_point=charger.row,
            received_at=NOW,
            action="StopTransaction",
            unique_id=str(number),
            payload=f'{{"transactionId":{given + 1 + number}}}',
            payload_hash=str(number),
            reason="odd",
        )
        for number in range(250)
    )
    last = stop.pk + 1000
    QuarantinedMessage.objects.filter(pk=stop.pk).update(id=last)
    assert [item.pk for item in stops_of(waiting("StartTransaction"))] == [last]
