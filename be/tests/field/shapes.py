"""`make shapes`: what real chargers send, by kind, and which test judges each.

Sent is what stands in a capture. Judged is what stands in a capture whose outcome is worked out in
`right.py`, or in a transcript, whose every row is compared. Prints what is judged nowhere last.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from levity.ocpp.conversation.lines import CHARGE_POINT, head_of, read_lines
from tests.field.captured import captures
from tests.field.right import RIGHT

__all__ = ["EXPLAINED", "Shape", "judged", "sent", "uncovered"]

Shape = tuple[str, str]
"""Its kind, and what it is: ("location", "Body")."""
TRANSCRIPTS = Path(__file__).parents[1] / "conversations" / "transcripts"
NO_TEST = "no test, and why"
EXPLAINED: dict[str, str] = {
    "keba-2": "OCPP 2.0.1, which is not spoken here",
    "unknown-201-1": "OCPP 2.0.1, which is not spoken here",
}
"""Captures that no test plays."""
ENUMS = {
    "StatusNotification": ("status", "errorCode"),
    "StopTransaction": ("reason",),
    "FirmwareStatusNotification": ("status",),
    "DiagnosticsStatusNotification": ("status",),
    "SecurityEventNotification": ("type",),
}


def of_frame(text: str) -> Iterator[Shape]:
    """The shapes in a frame of a charger."""
    kind, _, action = head_of(text)
    try:
        frame = json.loads(text)
    except ValueError:
        yield "form", f"not JSON, message type {kind}"
        return
    blanks = text.partition("{")[0]
    yield "form", "line breaks" if "\n" in text else "blanks" if " " in blanks else "compact"
    if kind != 2:
        yield "answer", {3: "CALLRESULT", 4: f"CALLERROR {frame[2]}"}[kind]
        return
    payload = frame[3]
    yield "message id", _pattern(frame[1])
    yield "action", action
    for name, value in payload.items():
        yield "field", f"{action}.{name}{_oddness(value)}"
        if name in ENUMS.get(action, ()):
            yield name if name != "status" else f"{action} status", str(value)
        if name == "timestamp":
            yield "time", _pattern(value)
    values = payload.get("meterValue", payload.get("transactionData", []))
    if isinstance(values, dict):
        yield "field", f"{action}.meterValue is an object"
        values = [values]
    for element in values:
        yield "time", _pattern(element["timestamp"])
        for sample in element["sampledValue"]:
            yield from _of_sample(sample)


def _of_sample(sample: dict[str, Any]) -> Iterator[Shape]:
    yield "sample", " ".join(sorted(sample))
    yield "value", type(sample["value"]).__name__ + _oddness(sample["value"])
    measurand = sample.get("measurand", "(none)")
    yield "measurand", measurand
    for name in ("context", "format", "location", "phase", "unit"):
        yield name, str(sample.get(name, "(none)"))
    yield "measurand and unit", f"{measurand} {sample.get('unit', '(none)')}"
    yield "measurand and phase", f"{measurand} {sample.get('phase', '(none)')}"
    yield "measurand and location", f"{measurand} {sample.get('location', '(none)')}"


def of_handshake(request: str) -> Iterator[Shape]:
    """The shapes in a charger's HTTP request."""
    head, *lines = request.strip().split("\r\n")
    target = head.split(" ")[1]
    absolute = "://" in target
    slashes = len(target) - len(target.lstrip("/"))
    yield "target", "absolute" if absolute else f"{slashes} slashes" if slashes > 1 else "path"
    yield "headers", " ".join(sorted(line.partition(":")[0].lower() for line in lines if line))


def _pattern(text: str) -> str:
    """Digits as 9 and letters as a: hex ids of all chargers are alike."""
    plain = "".join("9" if sign.isdigit() else "a" if sign.isalpha() else sign for sign in text)
    if text[4:5] == "-" and text[10:11] in ("T", " "):
        return "".join("9" if sign.isdigit() else sign for sign in text)
    made_of = "digits" if text.isdigit() else "a uuid" if plain.count("-") == 4 else "signs"
    return f"{len(text)} {made_of}"


def _oddness(value: Any) -> str:
    match value:
        case "":
            return " (empty)"
        case bool() | None:
            return f" ({value})"
        case str() if value != value.strip():
            return " (blanks around it)"
        case int() if value < 0:
            return " (below 0)"
        case int() if value > 2**31 - 1:
            return " (over 32 bits)"
    return ""


def sent() -> dict[Shape, set[str]]:
    """All shapes of all captures, and the captures in which each is."""
    found: dict[Shape, set[str]] = defaultdict(set)
    for capture in captures():
        for text in capture.said:
            for shape in of_frame(text):
                found[shape].add(capture.name)
        if capture.handshake:
            for shape in of_handshake(capture.handshake):
                found[shape].add(capture.name)
    return found


def judged() -> dict[Shape, set[str]]:
    """All shapes that a test judges, and the tests."""
    found: dict[Shape, set[str]] = defaultdict(set)
    for shape, names in sent().items():
        found[shape] |= {f"captures/{name}" for name in names if name in RIGHT}
    for path in TRANSCRIPTS.rglob("*.jsonl"):
        name = f"transcripts/{path.relative_to(TRANSCRIPTS).with_suffix('')}"
        with path.open(encoding="utf-8") as file:
            for line in read_lines(file):
                if line.sender == CHARGE_POINT and head_of(line.text)[0]:
                    for shape in _or_none(line.text):
                        found[shape].add(name)
    return found


def _or_none(text: str) -> list[Shape]:
    """What is bad on purpose in a transcript is no shape of a charger."""
    try:
        return list(of_frame(text))
    except (AttributeError, KeyError, TypeError):
        return []


def uncovered() -> dict[Shape, set[str]]:
    """The shapes that no test judges, and that nothing explains."""
    by_test = judged()
    return {
        shape: names
        for shape, names in sent().items()
        if not by_test.get(shape) and names - set(EXPLAINED)
    }


def main() -> int:
    """Print the report; 1 where a shape is judged nowhere."""
    by_test, by_kind = judged(), defaultdict(list)
    for (kind, what), names in sorted(sent().items()):
        tests = sorted(by_test.get((kind, what), ()))
        elsewhere = [test for test in tests if test.startswith("transcripts/")]
        why = "" if tests else "; ".join(sorted({EXPLAINED.get(name, "") for name in names}))
        by_kind[kind].append(
            f"  {what:58} {len(names):3} captures {len(elsewhere):3} transcripts  "
            + (tests[0] if tests else f"{NO_TEST}: {why}")
        )
    for kind, lines in sorted(by_kind.items()):
        print(kind, *lines, sep="\n")
    left = uncovered()
    for shape, names in sorted(left.items()):
        print(f"judged nowhere: {shape[0]} {shape[1]} ({', '.join(sorted(names))})")
    files = len(captures())
    print(f"{len(sent())} shapes in {files} captures; {len(left)} of them judged nowhere")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
