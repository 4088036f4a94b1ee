"""Candidates for the end of a session, held against tag, time, meter and power."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from levity.ocpp.decisions.quarantined_message import candidates
from levity.ocpp.models import QuarantinedMessage
from levity.ocpp.request import TransactionState
from levity.ocpp.rules.checks import AGREES, CONTRADICTS, POWER, SILENT
from levity.ocpp.rules.fitting import ID_TAG, METER, TIME, End, fit
from levity.ocpp.rules.fitting import candidates as ranked
from tests.ocpp.charger import at
from tests.ocpp.ledger_chargers import Charger, meter_value
from tests.ocpp.ledger_chargers import at as minutes
from tests.ocpp.states import charge_point, running

HOUR = 3600


def said(wh: float, seconds: float = HOUR, **other: Any) -> End:
    """An end at this register, so many seconds after the start, told at once."""
    usual = {"id_tag": "TAG", "received_at": at(seconds) + timedelta(seconds=1)}
    return End(**{"register": Decimal(wh), "at": at(seconds), **usual, **other})


def verdicts(session: TransactionState, end: End, *others: TransactionState) -> str:
    """Tag, time, meter and power: + agrees, - contradicts, . says nothing."""
    found = {item.kind: item.verdict for item in fit_of(session, end, *others)}
    signs = {AGREES: "+", CONTRADICTS: "-"}
    return "".join(signs.get(found[kind], ".") for kind in (ID_TAG, TIME, METER, POWER))


def fit_of(session: TransactionState, end: End, *others: TransactionState) -> Any:
    """The checks."""
    return fit(session, end, (session, *others), charge_point()).checks


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (said(6000), "++++"),
        (said(6000, id_tag=""), ".+++"),
        (said(6000, id_tag="BOB"), "-+++"),
        (said(6000, seconds=-HOUR), "+-+-"),
        (said(950), "++++"),
        (said(500), "++-."),
        (said(0), "++.."),
        (said(900_000), "+++-"),
        (said(6000, at=None), "+.++"),
        (said(6000, began=Decimal(1000)), "++++"),
        (said(6000, began=Decimal(4000)), "++-."),
    ],
)
def test_an_end_is_held_against_what_the_session_began_with(end: End, expected: str) -> None:
    session = running(start_received_at=at(0))
    assert verdicts(session, end) == expected


def test_an_end_is_held_against_the_samples() -> None:
    session = running(meter_last=Decimal(9000), meter_last_at=at(1800), start_received_at=at(0))
    assert verdicts(session, said(9500)) == "++++"
    assert verdicts(session, said(6000)) == "++-."
    kept = said(9500, seconds=600, received_at=at(HOUR))
    assert verdicts(session, kept) == "+-++"
    # Whole kWh, where the samples have more digits.
    assert verdicts(running(meter_last=Decimal(9800), meter_last_at=at(60)), said(9000))[2] == "+"


def test_the_next_start_on_its_connector_bounds_a_session_that_we_closed() -> None:
    before = running(state="orphaned", stopped_at=at(60), start_received_at=at(0))
    after = running(id=8, started_at=at(1800), meter_start=Decimal(5000), id_tag="BOB")
    elsewhere = running(id=9, started_at=at(600), meter_start=Decimal(2000), connector=2)
    assert verdicts(before, said(4900, seconds=1700), after, elsewhere) == "++++"
    assert verdicts(before, said(9000), after, elsewhere) == "+--."
    assert verdicts(after, said(9000, id_tag="BOB"), before, elsewhere) == "++++"
    # Its start was told twice: no bound.
    twice = running(id=8, started_at=at(120), meter_start=Decimal(1000))
    assert verdicts(before, said(9000), twice) == "++++"


def test_a_register_that_counts_by_session_goes_on_from_its_own_samples_only() -> None:
    session = running(flags="session-register", meter_last=Decimal(800))
    assert verdicts(session, said(500)) == "++-."
    assert verdicts(session, said(900)) == "++++"
    total = running(flags="session-register", meter_start=Decimal(70_000), meter_last=Decimal(800))
    assert verdicts(total, said(70_900)) == "++++"
    assert verdicts(running(flags="session-register"), said(500)) == "++.."


def test_the_details_are_facts_with_units() -> None:
    [tag, time, meter, power] = fit_of(running(start_received_at=at(0)), said(6000))
    assert (tag.detail, tag.verdict) == ("the same", AGREES)
    assert time.detail == "60 min after it began"
    assert meter.detail == "5,000 Wh above what it showed last"
    assert power.detail.startswith("up to ")
    assert fit_of(running(), said(6000, id_tag=""))[0].verdict == SILENT


def test_the_session_that_everything_fits_comes_first() -> None:
    alice = running(state="stopped", stopped_at=at(900), meter_stop=Decimal(3000))
    bob = running(id=8, started_at=at(1000), meter_start=Decimal(3000), id_tag="BOB")
    other = running(id=9, connector=2, meter_start=Decimal(700_000), id_tag="EVE")
    found = ranked(said(6000, id_tag="BOB"), [alice, other, bob], charge_point())
    assert [item.id for item, _ in found] == [8, 9, 7]


@pytest.mark.django_db
def test_the_candidates_of_a_quarantined_stop_are_ranked() -> None:
    """The nearest in time was first; of two neighbours that said nothing."""
    charger = Charger()
    mine = charger.started(minutes(0), 10_000, idTag="ALICE", connectorId=2)
    charger.meter(mine, meter_value(minutes(20), 15_000), when=minutes(20), connectorId=2)
    near = charger.started(minutes(55), 900_000, idTag="BOB", connectorId=1)
    charger.stop(4711, minutes(60), 20_000, idTag="ALICE2")
    [(first, checks), (second, _)] = candidates(QuarantinedMessage.objects.get())
    assert (first.pk, second.pk) == (mine, near)
    assert [item.kind for item in checks] == [ID_TAG, TIME, METER, POWER]
