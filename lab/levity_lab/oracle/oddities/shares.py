"""How many sessions of which oddity must be right without anybody's help."""

__all__ = ["SHARES", "WITH_POWER"]

_ALL = (
    *("none", "answer-lost", "answer-lost-new-connection", "answer-lost-new-id"),
    *("answers-lost-quickly", "stop-answer-lost", "restamped-start", "two-sockets"),
    *("stop-twice", "start-after-stop", "offline-fifo", "offline-no-samples"),
    *("offline-lifo", "offline-split", "offline-live", "offline-boot"),
    *("offline-statuses-first", "boots-on-reconnect", "mute", "ids-restart"),
    *("samples-shuffled", "start-late", "hop", "repeated-days-later", "minus-one"),
    *("zero-id", "null-id", "huge-id", "stop-before-start", "samples-after-stop"),
    *("samples-unknown-id", "other-tag-stops", "empty-tag", "zero-sample"),
    *("meter-exchange", "power-cut-resumes", "power-cut-stop-later", "standby"),
    *("emergency-stop", "no-session", "fractional-registers", "begin-beside-now"),
    *("clock-ahead", "clock-behind", "clock-local", "clock-no-zone", "clock-offset"),
    *("clock-days-ahead", "clock-jumps", "clock-1970", "clock-2000", "clock-firmware"),
    *("former-back-end", "meter-below-start", "unit-contradicts", "main-meter"),
    *("other-registers", "register-when-idle", "samples-repeated", "data-dated-back"),
    *("moves-after-stop", "deauthorized", "stop-late", "told-late", "boot-forgets-id"),
    *("start-clock-unset", "stop-clock-unset", "clock-drifts", "phases-apart"),
    *("power-too-small", "power-too-large", "power-stuck", "power-of-one-phase"),
    *("ghost-start",),
)
"""Right before there was a chain, or no trouble to begin with."""
_NEARLY_ALL = (
    *("two-starts", "id-of-before", "id-of-orphan", "stray-stop", "stray-stop-running"),
    *("stray-minus-one", "ids-swapped", "minus-one-many", "null-id-many"),
    *("stop-before-start-many", "kwh-everywhere", "missing-tag", "meter-reset"),
    *("same-tag-twice", "main-meter-in-session"),
    *("id-of-neighbour",),
)
"""What the connector's other sessions, tags, times and power tell."""

SHARES = {**dict.fromkeys(_ALL, 1.0), **dict.fromkeys(_NEARLY_ALL, 0.95)}
"""By oddity; of others as many as can be."""

WITH_POWER = frozenset({"meter-reset"})
"""Of these the share is of makes that tell their power: of others nothing tells what flowed before
the register began anew."""
