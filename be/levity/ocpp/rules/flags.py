"""What was odd about a session, a word each; here is what each word means to who bills it.

The flags of a transaction are set where the oddness is seen (actions, energy, middleware).
`docs/operating.md` has the same words; a test holds both against each other.
"""

from collections.abc import Iterator

__all__ = ["MEANINGS", "explained"]

_NO_TIME = "The charger gave no plausible time; the time of receipt is used."
_AHEAD = "The charger's clock was more than five minutes ahead."
_UNSET = (
    "The charger's clock was never set: it reported 1970, 2000, or a time more than a year ago."
)
_REFUSED = "The id tag was refused, but the charger started anyway."

MEANINGS = {
    "no-start-time": _NO_TIME,
    "no-stop-time": _NO_TIME,
    "start-clock-ahead": _AHEAD,
    "stop-clock-ahead": _AHEAD,
    "start-clock-unset": _UNSET,
    "stop-clock-unset": _UNSET,
    "stop-before-start": "The charger reported a stop before the start.",
    "start-after-stop": "The start was repeated after the stop; the session stays stopped.",
    "stop-came-first": "The stop arrived before its start and waited for it in quarantine.",
    "late-stop": (
        "Levity had already closed the session; the charger's own stop arrived later and counts."
    ),
    "stop-quarantined": (
        "The stop was invalid and is in quarantine; the session was ended at its last meter value."
    ),
    "abandoned": (
        "The connector was free for an hour, or the charger silent for days or retired, and no "
        "stop arrived."
    ),
    "continued": "The session was closed at a boot and reopened because the charger continued it.",
    "made-by-hand": "A person created the session from a quarantined message.",
    "by-hand": "A person ended the session.",
    "no-meter-stop": (
        "A person ended the session with a stop without a readable meter value: it ends at its "
        "last meter value."
    ),
    "id-tag-invalid": _REFUSED,
    "id-tag-blocked": _REFUSED,
    "id-tag-expired": _REFUSED,
    "id-tag-concurrenttx": _REFUSED,
    "no-meter-start": (
        "The charger gave no readable meter value at the start: energy counts from the first "
        "meter value."
    ),
    "negative-meter-start": "The meter at the start was negative.",
    "negative-energy": (
        "The meter at the stop was below the one at the start: the samples count, otherwise 0."
    ),
    "above-ac": (
        "More than an AC connector can deliver in that time, and this connector's power is "
        "unknown. Normal for a DC charger: set its highest power."
    ),
    "implausible-energy": (
        "More energy than the connector can deliver in that time. Check before billing."
    ),
    "below-samples": (
        "The meter at the stop is below the meter values. If several of them rise, they count."
    ),
    "start-contradicted": (
        "The meter at the start does not match the meter values and the stop: their rise counts."
    ),
    "stop-far-off": (
        "The meter at the stop is implausibly far from the last meter values, but counts. Check "
        "before billing."
    ),
    "stop-contradicted": "The meter at the stop is implausibly high: the last meter value counts.",
    "registers-in-kwh": (
        "Start and stop seem to be in kWh instead of Wh. Check before billing: energy derived "
        "from registers may be a thousandth of what was charged."
    ),
    "samples-in-kwh": (
        "The meter values are in kWh instead of Wh: multiplied by a thousand they continue from "
        "the meter at the start, and count."
    ),
    "register-reset": (
        "The meter was reset during the session, or one value was far off: its rise before and "
        "after counts."
    ),
    "register-fell": "The meter fell below its value at the start.",
    "samples-after-stop": (
        "Meter values arrived after the stop; they are stored, the energy is unchanged."
    ),
    "session-register": "The meter values count from the session's start, not from the meter's.",
    "id-of-another": "The stop named another session, but its tag, time and meter match this one.",
    "own-id": "The charger uses this number for the session instead of the one it was given.",
    "another-start": "Another start on its connector arrived meanwhile and is in quarantine.",
    "started-twice": (
        "The charger reported its start twice and continued with the other id; nothing was "
        "charged in this session."
    ),
    "matched-by-connector": "The stop named no transaction, and only this one can be meant.",
    "orphaned": "No stop arrived; Levity closed the session from the last meter value.",
}
"""For each flag of ours, a sentence for people."""


def explained(flags: str) -> Iterator[tuple[str, str]]:
    """(flag, meaning) of these space-separated flags; an extension's own have no meaning here."""
    for flag in flags.split():
        yield flag, MEANINGS.get(flag.partition(":")[0], "")
