"""OrphanedTransactions without a database: what ends when a charger boots or starts again."""

from decimal import Decimal
from typing import Any

from levity.ocpp.effects import StartTransaction, StopTransaction
from levity.ocpp.middleware import build_chain
from levity.ocpp.rules.checks import Check, as_text
from tests.ocpp.charger import at, wire
from tests.ocpp.states import charge_point, request, running

chain = build_chain(["levity.ocpp.middleware.orphaned_transactions.OrphanedTransactions"])
START = {"connectorId": 1, "idTag": "TAG", "meterStart": 9000, "timestamp": wire(5)}
BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}


def end(**other: Any) -> StopTransaction:
    """The end of transaction 7 without a sample."""
    usual: dict[str, Any] = {
        "transaction_id": 7,
        "meter_stop": None,
        "stopped_at": at(0),
        "energy": Decimal(0),
        "reason": "Other",
        "orphaned": True,
        "flags": ("orphaned",),
        "energy_source": "none",
        "confidence": "low",
    }
    return StopTransaction(**{**usual, **other})


def held_against(
    samples: str, clock: tuple[str, str, str] = ("clock", "agrees", "it lasted 0 h 01 min")
) -> str:
    """The text of what the end of a session without a stop was held against."""
    return as_text(
        (
            Check("start-stop", "missing", "no StopTransaction arrived"),
            Check("samples", "agrees", samples),
            Check("power", "silent", "no power was reported"),
            Check(*clock),
        )
    )


def test_a_start_on_a_busy_connector_ends_what_ran_there_first() -> None:
    """D-17: the end stands before the start, so that one is active at most."""
    busy = charge_point(active={(0, 1): running(), (0, 2): running(id=8, connector=2)})
    response = chain(request("StartTransaction", START, charge_point=busy))
    assert response.payload == {"transactionId": 41, "idTagInfo": {"status": "Accepted"}}
    ended, started = response.effects
    assert ended == end()
    assert isinstance(started, StartTransaction)
    assert started.transaction_id == 41


def test_a_start_that_is_a_repetition_ends_nothing() -> None:
    """D-01: it runs already."""
    busy = charge_point(active={(0, 1): running()})
    response = chain(request("StartTransaction", START, charge_point=busy, repeated=running()))
    assert (response.payload["transactionId"], response.effects) == (7, ())


def test_a_boot_ends_everything_that_ran_with_its_last_sample() -> None:
    """Power loss; the charger's own StopTransaction may still come."""
    sampled = running(energy=Decimal(700), meter_last=Decimal(1700), meter_last_at=at(60))
    busy = charge_point(active={(0, 1): sampled, (0, 2): running(id=8, connector=2)})
    response = chain(request("BootNotification", BOOT, charge_point=busy))
    assert response.effects[:2] == (
        end(
            meter_stop=Decimal(1700),
            stopped_at=at(60),
            energy=Decimal(700),
            reason="Reboot",
            energy_source="samples",
            confidence="medium",
            checks=held_against("1 meter value shows 700 Wh until 2026-11-22 12:01 UTC"),
        ),
        end(transaction_id=8, reason="Reboot"),
    )
    assert response.payload["status"] == "Accepted"


def test_a_register_of_the_session_says_nothing_of_the_lifetime() -> None:
    """Grizzl-E 5.x: 300 in this session, on top of meterStart."""
    sampled = running(
        energy=Decimal(300),
        meter_last=Decimal(300),
        meter_last_at=at(60),
        flags="no-start-time session-register",
    )
    response = chain(
        request("BootNotification", BOOT, charge_point=charge_point(active={(0, 1): sampled}))
    )
    assert response.effects[0] == end(
        meter_stop=Decimal(1300),
        stopped_at=at(60),
        energy=Decimal(300),
        reason="Reboot",
        flags=("no-start-time", "session-register", "orphaned"),
        energy_source="session-register",
        confidence="medium",
        checks=held_against(
            "1 meter value shows 300 Wh until 2026-11-22 12:01 UTC",
            ("clock", "missing", "the charger's clock was not set at the start"),
        ),
    )


def test_a_boot_of_an_idle_charger_ends_nothing() -> None:
    """Nor does any other message."""
    assert not any(
        isinstance(effect, StopTransaction)
        for effect in chain(request("BootNotification", BOOT)).effects
    )
    busy = charge_point(active={(0, 1): running()})
    assert chain(request("Heartbeat", charge_point=busy)).effects == ()
