"""A block and a trace of each version, and what was packed into them.

`packed_once.1.json` and `packed_once.2.json` hold their bytes in base64. Commit dc3d960 packed
version 1, the last one that wrote it; commit 3647bf3c packed version 2, the first one that did. In
a worktree of that commit, with this file copied beside its tests, `be` as the folder and its Django
set up,

    whole = codec.pack(EXCHANGES)
    {"facts": whole.facts, "frames": whole.frames, "trace": coding.encode(METER_VALUES)}

was written to the file. So they must not be made anew by the code of today: whoever changes what is
packed raises the version, adds a file and leaves the others.
"""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from levity.ocpp.store.messages.codec import Exchange
from levity.ocpp.store.samples.coding import Coded

__all__ = ["EXCHANGES", "METER_VALUES", "NAMES", "PLUGGED_IN", "SIGNED", "TAG", "packed"]

PLUGGED_IN = datetime(2026, 3, 1, 7, 30, 0, 250_001, tzinfo=UTC)
TAG = "04AABBCCDD"
SESSION = 4711
SIGNED = f'OCMF|{{"FV":"1.0","ID":"{TAG}","RD":[{{"RV":1000.5,"RU":"kWh"}}]}}|{{"SD":"30450221"}}'
NAMES = {
    6945026581710623969: [
        ["Energy.Active.Import.Register", "", "", "Transaction.Begin", "SignedData", "Wh"]
    ],
    4052431336583490848: [
        ["Energy.Active.Import.Register", "", "Outlet", "Sample.Periodic", "Raw", "Wh"],
        ["Current.Import", "L1", "", "Sample.Periodic", "", "A"],
        ["SoC", "", "EV", "Sample.Periodic", "", "Percent"],
    ],
}
"""Of each shape: measurand, phase, location, context, format and unit of each value."""
_BEGIN, _PERIODIC = NAMES
_MICROSECONDS = int(PLUGGED_IN.timestamp()) * 1_000_000 + PLUGGED_IN.microsecond


def packed(name: str, version: int) -> bytes:
    """The facts or frames of the block, or the trace."""
    text = Path(__file__).with_suffix(f".{version}.json").read_text()
    return base64.b64decode(json.loads(text)[name])


def _exchange(
    number: int, action: str, payload: object, answer: object, **more: object
) -> Exchange:
    unique_id = str(more.pop("unique_id", number))
    at = PLUGGED_IN + timedelta(minutes=number, microseconds=37 * number)
    fields: dict[str, object] = {
        "id": 900 + 3 * number,
        "connection": str(UUID(int=1 + number // 9)),
        "seq": number,
        "sender": "cp",
        "unique_id": unique_id,
        "action": action,
        "transaction": None,
        "request": json.dumps([2, unique_id, action, payload]),
        "response": json.dumps([3, unique_id, answer]),
        "error_code": "",
        "error_description": "",
        "received_at": at,
        "answered_at": at + timedelta(milliseconds=3 + number),
    }
    return Exchange(**{**fields, **more})  # type: ignore[arg-type]  # as given


def _meter_values(number: int) -> Exchange:
    sampled = [{"value": str(1000 + 121 * number), "unit": "Wh"}]
    values = [{"timestamp": f"2026-03-01T07:{30 + number}:00Z", "sampledValue": sampled}]
    said = {"connectorId": 1, "transactionId": SESSION, "meterValue": values}
    unique_id = str(UUID(int=(number + 1) * 2**99 + 5 * number))
    return _exchange(number, "MeterValues", said, {}, transaction=SESSION, unique_id=unique_id)


EXCHANGES = [
    _exchange(
        0,
        "StartTransaction",
        {"connectorId": 1, "idTag": TAG, "meterStart": 1000},
        {"transactionId": SESSION, "idTagInfo": {"status": "Accepted"}},
        transaction=SESSION,
    ),
    *[_meter_values(number) for number in range(1, 12)],
    _exchange(
        12,
        "RemoteStopTransaction",
        {"transactionId": SESSION},
        {},
        sender="cs",
        seq=None,
        response="",
        answered_at=None,
    ),
    _exchange(13, "", {}, {}, unique_id="", request="not JSON", response="", answered_at=None),
    _exchange(14, "DataTransfer", {"data": '14 "14" \x00 \ud800 🔌'}, {"status": "Accepted"}),
    _exchange(15, "DataTransfer", {}, {}, request='\x00["15"]', response='[3, "15" ,{}]'),
    _exchange(16, "Heartbeat", {}, {}, request='[2,16,"Heartbeat",{}]', unique_id="16"),
    _exchange(17, "DataTransfer", {}, {}, request='[2,"17","é\ud800 🔌"]', unique_id="17"),
    _exchange(18, "Heartbeat", {}, {}, unique_id=" "),
    _exchange(
        19,
        "Nonsense",
        {},
        {},
        response='[4,"19","NotImplemented","",{}]',
        error_code="NotImplemented",
        error_description=f"no such action: {TAG}",
    ),
]


def _meter_value(number: int) -> Coded:
    at = _MICROSECONDS - _MICROSECONDS % 1_000_000 + 60_000_000 * number
    register, ampere = str(1000 + 121 * number), f"{15 + number * number % 7 / 10:.2f}"
    state = {3: " 7", 5: "٣", 7: "1e3", 9: "", 11: "12345678901234567890", 13: "-0"}
    return Coded(
        id=5000 + 4 * number,
        place=(0, 1),
        sampled_at=at,
        received_at=at + 1_250_001 + number * 41 % 13,
        shape=_PERIODIC,
        values=(register, ampere, state.get(number, str(20 + number))),
        recorded={3: {2: None}, 30: {0: "4630.500000"}}.get(number, {}),
    )


METER_VALUES = [
    Coded(4990, (0, 1), _MICROSECONDS, _MICROSECONDS + 9, _BEGIN, (SIGNED,)),
    *[_meter_value(number) for number in range(1, 41)],
]
