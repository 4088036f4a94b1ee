"""A grammar of frames: right, nearly right, and wrong at every level of OCPP-J.

What a frame can't know beforehand stands in it as a placeholder: the id of the charger's own
running transaction, of another charger's, and of a Call of ours that waits for its answer.
"""

import json
from typing import Any

from hypothesis import strategies as st

from tests.promises.messages import MESSAGES, fields_of, schema_of, usual

__all__ = ["CALL_OF_OURS", "FOREIGN", "OWN", "frames"]

OWN, FOREIGN = 987_654_321, 987_654_322
CALL_OF_OURS = "call-of-ours"

USUAL = {action: usual(action) for action in MESSAGES}
PATHS = {action: [path for path, _, _ in fields_of(schema_of(action))] for action in MESSAGES}

ODD_TEXTS = (
    *("", " ", "\x00", "a\x00b", "\u2028", "\ufeff", "\u202e", "٣", "NaN", "1e400", "-0", "0x10"),
    *("9" * 40, "x" * 300, "a\r\nb\x1b[31m", "'; DROP TABLE ocpp_message; --", "{{7*7}}", "%s%n"),
    *("<script>xss7</script>", "__class__", "../../etc/passwd", "😀" * 30, "=1+1", "null"),
)
ODD_NUMBERS = (
    *(0, -1, 1, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63 - 1, 2**63, 2**64, 10**30),
    *(0.1, -0.5, 1e17, 1e300, 5e-324, 999_999, OWN, FOREIGN),
)
ODD_TIMES = (
    *("2026-11-22T12:00:00Z", "2026-11-22T12:00:00", "2026-11-22T14:00:00+02:00", "1000000"),
    *("222222017-01-01T00:00:00Z", "2026-00-01T00:00:00Z", "9999-12-31T23:59:59-14:00"),
    *("0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z", "2036-01-01T00:00:00Z", "tomorrow"),
    *("2026-11-22T11:59:59.123456789Z", "2026-W47-7T12:00:00Z", "20261122T120000Z"),
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(ODD_NUMBERS),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(ODD_TEXTS),
    st.sampled_from(ODD_TIMES),
    TEXT,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)
# What json.dumps does not write, put into the text itself.
SPLINTERS = (
    *("NaN", "Infinity", "-Infinity", "1e999", "\\ud800", "\\udc00\\ud800", "\\u0000", "\x00"),
    *(",", "]", "}", "[", "{", '"', "\\", "/*", "'", "\ufeff", "\t", "9" * 400, "[" * 300),
    *('"connectorId":2,', "[[", "]]", "\x7f", "\u2029"),
)
IDS = st.one_of(
    st.uuids().map(str),
    st.sampled_from(["1", "same", "x" * 36, "x" * 37, "", "a\nb", "\x00", "-1", CALL_OF_OURS]),
    VALUES,
)
WORDS = st.one_of(
    st.sampled_from(MESSAGES),
    st.sampled_from(["Reset", "heartbeat", "__class__", "", "x" * 100, "RemoteStartTransaction"]),
    VALUES,
)


@st.composite
def payloads(draw: st.DrawFn, action: str) -> Any:
    """The usual payload with some of its fields gone, replaced or added."""
    payload: Any = json.loads(json.dumps(USUAL[action]))
    if "transactionId" in payload:
        payload["transactionId"] = draw(st.sampled_from([OWN, OWN, FOREIGN, 0, -1]))
    for path in draw(st.lists(st.sampled_from([*PATHS[action], ("extra",)]), max_size=3)):
        place: Any = payload
        for step in path[:-1]:
            # An earlier change may have left nothing to go on with.
            inside = isinstance(place, dict) and step in place
            inside = inside or (isinstance(place, list) and step == 0 and bool(place))
            if not inside:
                break
            place = place[step]
        else:
            _change(draw, place, path[-1])
    return payload


def _change(draw: st.DrawFn, place: Any, last: Any) -> None:
    if isinstance(place, dict):
        if draw(st.integers(0, 3)) == 0:
            place.pop(last, None)
        else:
            place[last] = draw(VALUES)
    elif isinstance(place, list) and place:
        if draw(st.booleans()):
            place[0] = draw(VALUES)
        else:
            place *= draw(st.sampled_from([0, 2, 20]))


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A frame as JSON."""
    kind = draw(st.integers(0, 19))
    if kind < 13:
        action = draw(st.sampled_from(MESSAGES))
        frame = [2, draw(st.uuids().map(str)), action, draw(payloads(action))]
    elif kind < 15:
        frame = [
            3,
            draw(st.just(CALL_OF_OURS) | IDS),
            draw(VALUES | st.just({"status": "Accepted"})),
        ]
    elif kind < 16:
        frame = [4, draw(st.just(CALL_OF_OURS) | IDS), *draw(st.lists(VALUES, max_size=4))]
    elif kind < 19:
        frame = [2, draw(IDS), draw(WORDS), draw(VALUES)]
    else:
        return draw(VALUES)
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(frame)))
        change = draw(st.sampled_from(["drop", "add", "set"]))
        if change == "add":
            frame.insert(place, draw(VALUES))
        elif place < len(frame):
            frame[place : place + 1] = [] if change == "drop" else [draw(VALUES)]
    return frame


@st.composite
def frames(draw: st.DrawFn) -> str:
    """One text frame; UTF-8 always, as the edge lets nothing else through."""
    text = json.dumps(draw(documents()), ensure_ascii=draw(st.booleans()))
    how = draw(st.integers(0, 9))
    if how == 0:
        return text[: draw(st.integers(0, len(text)))]
    if how == 1:
        place = draw(st.integers(0, len(text)))
        return text[:place] + draw(st.sampled_from(SPLINTERS)) + text[place:]
    if how == 2 and draw(st.integers(0, 3)) == 0:
        return draw(st.text(st.characters(exclude_categories=["Cs"])))
    return text
