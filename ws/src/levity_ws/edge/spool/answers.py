"""What the spool may answer in the backend's stead: the one place in the edge that reads payloads.

Only messages that the backend can process later without loss. BootNotification, DataTransfer and
the like have no answer here: they wait for the backend, and then for the charger's next attempt.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

__all__ = ["Question", "answer_to", "is_understood", "read"]

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
START, STOP = "StartTransaction", "StopTransaction"
NOTHING_TO_KEEP = frozenset({"Heartbeat", "Authorize"})
"""Messages that need not be recorded."""
ANSWERED = NOTHING_TO_KEEP | {
    START,
    STOP,
    "MeterValues",
    "StatusNotification",
    "FirmwareStatusNotification",
    "DiagnosticsStatusNotification",
    "LogStatusNotification",
    "SecurityEventNotification",
    "SignedFirmwareStatusNotification",
}


@dataclass(frozen=True, slots=True)
class Question:
    """A frame that the spool can take. `action` is empty for the answer to a Call of ours."""

    unique_id: str
    action: str
    payload: Any
    content: str = ""
    """For a StartTransaction: equal for equal payloads, whatever the message id and the order of
    keys."""

    @property
    def is_kept(self) -> bool:
        """True if it goes into the spool; the others are only answered."""
        return self.action not in NOTHING_TO_KEEP

    @property
    def needs_id(self) -> bool:
        """True if it is answered with a transactionId."""
        return self.action == START

    @property
    def ends(self) -> int:
        """The transactionId of a StopTransaction; 0 for none."""
        number = self.payload.get("transactionId") if self.action == STOP else 0
        return number if type(number) is int else 0

    @property
    def lets_charge(self) -> bool:
        """True if the answer permits charging."""
        return self.action in (START, "Authorize")


def is_understood(subprotocol: str) -> bool:
    """True for the version whose answers are here: OCPP 1.6, by whichever of its names."""
    return not subprotocol or subprotocol.lower().startswith(("ocpp1.6", "ocpp16"))


def read(text: str) -> Question | None:
    """The frame as the spool understands it; None if the backend has to answer it."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, list) or len(document) < 3:
        return None
    kind, unique_id = document[:2]
    if type(kind) is not int or type(unique_id) is not str or not 0 < len(unique_id) <= 64:
        return None
    if kind in (CALL_RESULT, CALL_ERROR):
        return Question(unique_id, "", None)
    if kind != CALL or len(document) != 4:
        return None
    action, payload = document[2:]
    if type(action) is not str or action not in ANSWERED or not isinstance(payload, dict):
        return None
    return Question(unique_id, action, payload, _content(payload) if action == START else "")


def _content(payload: dict[str, Any]) -> str:
    try:
        text = orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # nested deeper than 254 levels
        text = repr(payload).encode()
    return hashlib.sha256(text).hexdigest()


def answer_to(question: Question, at: float, transaction: int = 0) -> str:
    """The CALLRESULT; empty where none is expected. `at` is POSIX seconds."""
    if not question.action:
        return ""
    payload: dict[str, Any] = {}
    match question.action:
        case "Heartbeat":
            moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
            payload = {"currentTime": moment.replace("+00:00", "Z")}
        case "StartTransaction":
            payload = {"transactionId": transaction, "idTagInfo": {"status": "Accepted"}}
        case "Authorize":
            payload = {"idTagInfo": {"status": "Accepted"}}
        case "StopTransaction" if question.payload.get("idTag"):
            payload = {"idTagInfo": {"status": "Accepted"}}
    return orjson.dumps([CALL_RESULT, question.unique_id, payload]).decode()
