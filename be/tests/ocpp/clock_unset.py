"""A charger that charges with no session: the captured conversation, played again."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.ocpp.ledger_chargers import Charger

__all__ = ["play"]

CAPTURE = Path(__file__).parents[1] / "conversations/captures/mo16-4-clock-unset.jsonl"


def play(moment: datetime, identity: str = "MO16") -> Charger:
    """Its two sessions, the power cut, and nine samples of no session; the last frame comes at this
    moment by our clock, and all that it says of times is moved by as much."""
    lines = [json.loads(line) for line in CAPTURE.read_text().splitlines()]
    frames = [json.loads(line["text"]) for line in lines if line.get("from")]
    recorded = datetime.fromisoformat("2026-11-29T14:35:06Z")
    moved = moment - recorded
    answers = {frame[1]: frame[2] for frame in frames if frame[0] == 3}
    charger = Charger(identity)
    given: dict[Any, Any] = {}
    for frame in frames:
        if frame[0] != 2:
            continue
        _, unique_id, action, payload = frame
        told = answers.get(unique_id, {})
        if "currentTime" in told:
            charger.now = datetime.fromisoformat(told["currentTime"]) + moved
        charger.now += timedelta(milliseconds=100)
        payload = json.loads(json.dumps(payload), object_hook=lambda item: _later(item, moved))
        if payload.get("transactionId") in given:
            payload["transactionId"] = given[payload["transactionId"]]
        answer = charger.call(action, payload)
        if "transactionId" in told:
            given[told["transactionId"]] = answer["transactionId"]
    return charger


def _later(item: dict[str, Any], moved: timedelta) -> dict[str, Any]:
    if "timestamp" in item:
        at = datetime.fromisoformat(item["timestamp"]) + moved
        item["timestamp"] = at.isoformat().replace("+00:00", "Z")
    return item
