"""A person who must be forgotten is found nowhere afterwards, and the books are whole."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.forgetting import PREFIX, forget, may_forget
from levity.ocpp.models import AuditEntry, Command, IdTag, QuarantinedMessage, Transaction
from levity.ocpp.store.messages.moving import move_some
from levity.ocpp.store.messages.reading import newest_first
from levity.ocpp.store.messages.wanted import Wanted
from levity.ocpp.store.samples.elements import samples_of
from levity.ocpp.store.samples.moving import move_some as move_samples
from levity.ocpp.store.samples.reading import of_transaction
from levity.ocpp.wire.masking import forgetting
from tests.ocpp.charger import NOW, CentralSystem, Charger, wire

pytestmark = pytest.mark.django_db
TAG = "04AB12CD"


@pytest.fixture(params=["rows", "blocks"])
def stopped(request: pytest.FixtureRequest) -> int:
    """A session of this tag, told in every way; its messages are rows, or have moved."""
    system = CentralSystem()
    charger = system.connect(Charger("CP1"))
    system.take(charger.calls("Authorize", {"idTag": TAG.lower()}))
    number = system.start(charger, idTag=TAG)
    system.take(charger.stops(number, idTag=TAG))
    data = json.dumps({"card": TAG, "said": f"card {TAG} presented"})
    system.take(charger.calls("DataTransfer", {"vendorId": "V", "data": data}))
    IdTag.objects.create(id_tag=TAG, owner="Anna", notes="third floor")
    row = Transaction.objects.get()
    Command.objects.create(
        charge_point_id=row.charge_point_id,
        action="RemoteStartTransaction",
        payload={"idTag": TAG, "connectorId": 1},
        state="answered",
    )
    QuarantinedMessage.objects.create(
        charge_point_id=row.charge_point_id,
        action="StopTransaction",
        payload=json.dumps({"idTag": TAG}),
        payload_hash="x",
        reason=f"{TAG} is unknown",
        received_at=NOW,
    )
    if request.param == "blocks":
        while move_some(NOW + timedelta(days=9), 9.0, kept_days=2):
            pass
    return number


def everything() -> str:
    """All that the database has, and what is in its blocks, in lower case."""
    found = [str(item) for item in newest_first(Wanted())]
    for table in connection.introspection.table_names():
        if table.startswith("ocpp_"):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT * FROM {table}")
                found += [str([_plain(value) for value in row]) for row in cursor.fetchall()]
    return " ".join(found).lower()


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_the_tag_is_nowhere_and_the_sessions_are_whole(stopped: int) -> None:
    before = Transaction.objects.get()
    assert TAG.lower() in everything()
    frames = {item.id: item for item in newest_first(Wanted())}
    done = forget(TAG.lower(), None)
    assert TAG.lower() not in everything()
    row = Transaction.objects.get()
    assert row.pk == stopped
    assert (row.id_tag, row.stop_id_tag) == (done.pseudonym, done.pseudonym)
    assert (row.energy, row.started_at, row.stopped_at) == (
        before.energy,
        before.started_at,
        before.stopped_at,
    )
    tag = IdTag.objects.get()
    assert (tag.id_tag, tag.owner, tag.notes) == (done.pseudonym, "", "")
    for item in newest_first(Wanted()):
        assert forgetting(TAG, done.pseudonym)(frames[item.id].request) == item.request
    assert {name: count for name, count in done.counts.items() if count} == {
        "sessions": 1,
        "messages" if done.counts["messages"] else "packed messages": 4,
        "quarantined messages": 2,
        "commands": 1,
        "id tags": 1,
    }
    assert AuditEntry.objects.filter(what__contains="forgotten").count() == 2


def test_a_dry_run_changes_nothing_and_says_the_same(stopped: int) -> None:
    before = everything()
    would = forget(TAG, None, dry_run=True)
    assert everything() == before
    assert forget(TAG, None).counts == would.counts


def test_it_is_refused_while_the_tag_charges_and_while_somebody_needs_the_name(
    stopped: int,
) -> None:
    before = everything()

    def statement(id_tag: str, **_: Any) -> str:
        return f"Statement 7 of {id_tag} is closed: it must keep its name until 2036."

    may_forget.connect(statement)
    try:
        with pytest.raises(NotPossible, match="Statement 7"):
            forget(TAG, None)
    finally:
        may_forget.disconnect(statement)
    Transaction.objects.update(state="active")
    with pytest.raises(NotPossible, match="is running"):
        forget(TAG, None)
    Transaction.objects.update(state="stopped")
    assert everything() == before


def test_a_short_tag_is_no_number_and_no_other_tag() -> None:
    change = forgetting("1", f"{PREFIX}x")
    frame = '[2,"1","StartTransaction",{"connectorId":1,"idTag":"1","meterStart":1}]'
    assert change(frame) == frame.replace('"idTag":"1"', f'"idTag":"{PREFIX}x"')
    change = forgetting(TAG, f"{PREFIX}x")
    frame = f'[2,"u","Authorize",{{"idTag":"{TAG}99","AuthorizationKey":"secret"}}]'
    assert change(frame) == frame


def test_the_command_says_what_it_would_do_asks_and_does_it(
    stopped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = StringIO()
    call_command("forget", TAG, "--dry-run", stdout=said)
    assert "sessions: 1" in said.getvalue()
    monkeypatch.setattr("builtins.input", lambda question: "n")
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("forget", TAG, stdout=said)
    assert TAG.lower() in everything()
    call_command("forget", TAG, "--yes", stdout=said)
    assert f"it is {PREFIX}" in said.getvalue()
    assert TAG.lower() not in everything()
    with pytest.raises(CommandError, match="not found"):
        call_command("forget", TAG, "--yes", stdout=said)


@pytest.mark.parametrize("moved", [False, True])
def test_signed_values_name_nobody_afterwards(*, moved: bool) -> None:
    """They told the tag, in rows and in traces, after the frames did not any more."""
    signed = f'OCMF|{{"FV":"1.0","ID":"{TAG}","RD":[{{"RV":1.2}}]}}|{{"SD":"30440220"}}'
    sampled = [{"value": signed, "format": "SignedData"}, {"value": "1500"}]
    said = [{"timestamp": wire(60), "sampledValue": sampled}]
    system = CentralSystem()
    charger = system.connect(Charger("CP1"))
    number = system.start(charger, idTag=TAG)
    named = {"connectorId": 1, "transactionId": number, "meterValue": said}
    system.take(charger.calls("MeterValues", named))
    system.take(charger.stops(number, idTag=TAG))
    if moved:
        move_samples(NOW + timedelta(days=9), 9.0, timedelta(days=2))
    assert forget(TAG, None, dry_run=True).counts["meter values"] == 1
    before = samples_of(of_transaction(number))
    assert before[0].raw_value == signed
    done = forget(TAG, None)
    assert done.counts["meter values"] == 1
    assert [item.raw_value for item in samples_of(of_transaction(number))] == [
        item.raw_value.replace(TAG, done.pseudonym) for item in before
    ]
    assert [item.value for item in samples_of(of_transaction(number))] == [
        item.value for item in before
    ]
