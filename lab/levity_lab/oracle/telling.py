"""What a charger without any oddity says of its sessions."""

import math
from random import Random
from typing import Any

from levity_lab.oracle.lives import Life, Ref, Session, Step
from levity_lab.oracle.world import BEGIN

__all__ = ["base_of", "meter_values", "register_at", "tell", "whole"]


def whole(register: float) -> int:
    """Start and Stop tell whole Wh, cut off."""
    return math.floor(register + 1e-6)


def base_of(session: Session, life: Life) -> float:
    """What its make subtracts from the meter in Start and Stop."""
    if session.base is not None:
        return session.base
    if life.make.counts == "session":
        return session.connector.meter.register(session.begins)
    return 0.0


def register_at(session: Session, life: Life, moment: float) -> float:
    """The register in Wh as Start and Stop tell it, not yet cut off."""
    return session.connector.meter.register(moment) - base_of(session, life)


def sampled_at(session: Session, life: Life, moment: float) -> float:
    """The register in Wh as samples tell it."""
    register = register_at(session, life, moment)
    if life.make.counts == "samples":
        return register - session.connector.meter.register(session.begins)
    return register


def meter_values(session: Session, life: Life, moment: float, context: str | None = None) -> Step:
    """One MeterValues of this session."""
    values = life.make.sampled(
        sampled_at(session, life, moment), session.connector.meter.flow.power(moment), context
    )
    payload: dict[str, Any] = {
        "connectorId": session.connector.number,
        "meterValue": [{"timestamp": session.clock(moment), "sampledValue": values}],
    }
    if life.make.names_session:
        payload["transactionId"] = Ref(session)
    return Step(moment, "MeterValues", payload, session)


def tell(session: Session, life: Life, rng: Random) -> None:
    """Fill in the steps of this session."""
    make, number = life.make, session.connector.number
    begins, ends = session.begins, session.ends
    start = {
        "connectorId": number,
        "idTag": session.tag,
        "meterStart": whole(register_at(session, life, begins)),
        "timestamp": session.clock(begins),
    }
    session.start = Step(begins, "StartTransaction", start, session)
    session.samples = []
    if make.period:
        at = begins + make.period * rng.uniform(0.3, 1.0)
        while at < ends - 1:
            session.samples.append(meter_values(session, life, at))
            at += make.period
    stop: dict[str, Any] = {
        "transactionId": Ref(session),
        "meterStop": whole(register_at(session, life, ends)),
        "timestamp": session.clock(ends),
    }
    if make.stop_tag:
        stop["idTag"] = session.tag
    if session.reason:
        stop["reason"] = session.reason
    if make.data:
        stop["transactionData"] = [
            {
                "timestamp": session.clock(moment),
                "sampledValue": make.sampled(sampled_at(session, life, moment), 0.0, context),
            }
            for moment, context in ((begins, "Transaction.Begin"), (ends, "Transaction.End"))
        ]
    session.stop = Step(ends + 0.2, "StopTransaction", stop, session)
    session.statuses = [
        life.status(begins - 20, number, "Preparing", session),
        life.status(begins + 1.5, number, "Charging", session),
        life.status(ends + 1.0, number, "Finishing", session),
        life.status(ends + rng.uniform(20, 100), number, "Available", session),
    ]


def first_words(life: Life) -> None:
    """How it comes: a connection, a boot, the status of every connector."""
    life.connect(BEGIN + life.rng.uniform(0, 300), boots=True)
    at = life.others[0].at + 1
    for number in range(len(life.connectors) + 1):
        life.others.append(life.status(at + number, number, "Available"))
