"""What was odd about a session, a word each; here is what each word means to who bills it.

The flags of a transaction are set where the oddness is seen (actions, energy, middleware).
`docs/operating.md` has the same words; a test holds both against each other.
"""

from collections.abc import Iterator

__all__ = ["MEANINGS", "explained"]

_NO_TIME = "The charger gave no time for it that can be true; the time of receipt is used."
_AHEAD = "The charger's clock was more than five minutes ahead."
_UNSET = "The charger's clock was never set: it gave 1970, 2000, or a time over a year back."
_REFUSED = "The id tag was refused, and the charger started all the same."

MEANINGS = {
    "no-start-time": _NO_TIME,
    "no-stop-time": _NO_TIME,
    "start-clock-ahead": _AHEAD,
    "stop-clock-ahead": _AHEAD,
    "start-clock-unset": _UNSET,
    "stop-clock-unset": _UNSET,
    "stop-before-start": "The charger says that it stopped before it started.",
    "start-after-stop": "The same start came again after the stop; the session stays stopped.",
    "stop-came-first": "The stop came before its start, and waited for it in the quarantine.",
    "late-stop": "Levity had closed it already; the charger's own stop came later and counts.",
    "stop-quarantined": "The stop made no sense and is in the quarantine; the session was ended at "
    "its last meter value.",
    "abandoned": "Its connector was free for an hour, or its charger silent for days or "
    "retired, and no stop came.",
    "continued": "It was closed at a boot, and opened again because the charger went on.",
    "made-by-hand": "A person made it of a message in the quarantine.",
    "by-hand": "A person ended it.",
    "no-meter-stop": "A person ended it by a stop without a meter value that can be read: it ends "
    "at its last meter value.",
    "id-tag-invalid": _REFUSED,
    "id-tag-blocked": _REFUSED,
    "id-tag-expired": _REFUSED,
    "id-tag-concurrenttx": _REFUSED,
    "no-meter-start": "The charger gave no meter at the start that can be read: what was charged "
    "counts from the first meter value.",
    "negative-meter-start": "The meter at the start was below zero.",
    "negative-energy": "The meter at the stop was below the one at the start: what the samples "
    "said counts, else 0.",
    "above-ac": "More than an AC connector can deliver in that time, and nothing tells how strong "
    "this one is. Right for a DC charger: set its highest power, and it is known.",
    "implausible-energy": "More energy than the connector can deliver in that time. Look at it "
    "before it is billed.",
    "below-samples": "The meter at the stop shows less than the meter values had said. Where "
    "several of them rise, they count.",
    "start-contradicted": "The meter at the start does not fit the meter values and the stop: what "
    "they rose by counts.",
    "stop-far-off": "The meter at the stop is further from the last meter values than a connector "
    "can have come, and yet counts. Look at it before it is billed.",
    "stop-contradicted": "The meter at the stop is more than the connector can have reached: the "
    "last meter value counts.",
    "registers-in-kwh": "Start and stop seem to tell kWh for Wh. Look at it before it is billed: "
    "energy derived from registers may be a thousandth of what was charged.",
    "samples-in-kwh": "The meter values tell kWh for Wh: a thousand times as much goes on from the "
    "meter at the start, and counts.",
    "register-reset": "The meter began anew on the way, or one of its values was far off: what it "
    "rose by before and after counts.",
    "register-fell": "The meter fell below what it showed at the start.",
    "samples-after-stop": "Meter values came after the stop; they are kept, the figures stay.",
    "session-register": "The meter values count from the session's start, not from the meter's.",
    "id-of-another": "The stop named another session; its tag, time and meter fit this one.",
    "own-id": "The charger calls the session by this number, not by the one that it was given.",
    "another-start": "Another start on its connector came meanwhile and is in the quarantine.",
    "started-twice": "The charger told its start twice and went on with the other id; nothing was "
    "charged in this one.",
    "matched-by-connector": "The stop named no transaction, and only this one can be meant.",
    "orphaned": "No stop came; Levity closed it from the last meter value.",
}
"""For each flag of ours, a sentence for people."""


def explained(flags: str) -> Iterator[tuple[str, str]]:
    """(flag, meaning) of these space-separated flags; an extension's own have no meaning here."""
    for flag in flags.split():
        yield flag, MEANINGS.get(flag.partition(":")[0], "")
