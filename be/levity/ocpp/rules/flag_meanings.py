"""What each flag of a session means to who bills it; `flags` has what is done with them.

`docs/operating.md` has the same words and classes; a test holds both against each other.
"""

from typing import Literal

from levity.writing import gettext_noop
from levity_ws.frozen import frozen

__all__ = ["CLASSES", "DO_NOT_BILL", "HARMLESS", "LOOK", "MEANINGS", "Class", "Flag"]

Class = Literal["harmless", "look", "do-not-bill"]
HARMLESS: Class = "harmless"
"""Nothing to do: the figure is as good as without it."""
LOOK: Class = "look"
"""The figure may be wrong, incomplete, or another person's: look at the session before you bill."""
DO_NOT_BILL: Class = "do-not-bill"
"""The figure is wrong, or nothing was charged: decide or correct first."""
CLASSES: tuple[Class, ...] = (HARMLESS, LOOK, DO_NOT_BILL)
"""From the least to the most."""


@frozen
class Flag:
    """What a flag asks of who bills the session, and what it means, in a sentence for people."""

    category: Class
    meaning: str


_NO_TIME = gettext_noop("The charger gave no plausible time; the time of receipt is used.")
_AHEAD = gettext_noop("The charger's clock was more than five minutes ahead.")
_UNSET = gettext_noop(
    "The charger's clock was never set: it reported 1970, 2000, a time more than a year ago, or "
    "the very time of an earlier session."
)
_REFUSED = gettext_noop("The id tag was refused, but the charger started anyway.")

MEANINGS: dict[str, Flag] = {
    # A wrong clock moves a session to another day, and changes no energy.
    "no-start-time": Flag(HARMLESS, _NO_TIME),
    "no-stop-time": Flag(HARMLESS, _NO_TIME),
    "start-clock-ahead": Flag(HARMLESS, _AHEAD),
    "stop-clock-ahead": Flag(HARMLESS, _AHEAD),
    "start-clock-unset": Flag(HARMLESS, _UNSET),
    "stop-clock-unset": Flag(HARMLESS, _UNSET),
    "stop-before-start": Flag(LOOK, gettext_noop("The charger reported a stop before the start.")),
    "start-after-stop": Flag(
        HARMLESS, gettext_noop("The start was repeated after the stop; the session stays stopped.")
    ),
    # These were held against tag, time and meter before they were joined.
    "stop-came-first": Flag(
        HARMLESS, gettext_noop("The stop arrived before its start and waited for it in quarantine.")
    ),
    # The charger's own end instead of our estimate.
    "late-stop": Flag(
        HARMLESS,
        gettext_noop(
            "Levity had already closed the session; the charger's own stop arrived later and "
            "counts."
        ),
    ),
    "stop-quarantined": Flag(
        LOOK,
        gettext_noop(
            "The stop was invalid and is in quarantine; the session was ended at its last meter "
            "value."
        ),
    ),
    # What was charged after the last meter value is missing here, as for `orphaned`.
    "abandoned": Flag(
        LOOK,
        gettext_noop(
            "The connector was free for an hour, or the charger silent for days or retired, and "
            "no stop arrived."
        ),
    ),
    "next-car": Flag(
        LOOK,
        gettext_noop(
            "Its connector was free and another car was plugged in before any stop arrived: what "
            "the charger reported later under this session's number is not counted here."
        ),
    ),
    "stopped-by-other-tag": Flag(
        LOOK,
        gettext_noop(
            "Levity had closed the session, and then another id tag, which is in no group, stopped "
            "it: a part of the energy may be that person's."
        ),
    ),
    "continued": Flag(
        HARMLESS,
        gettext_noop(
            "The session was closed at a boot and reopened because the charger continued it."
        ),
    ),
    # Who decided has looked.
    "made-by-hand": Flag(
        HARMLESS,
        gettext_noop(
            "A person created the session, from a quarantined message or from unassigned energy."
        ),
    ),
    "by-hand": Flag(HARMLESS, gettext_noop("A person ended the session.")),
    "stopped-again": Flag(
        LOOK,
        gettext_noop(
            "A second stop of this session with another meter value, which fits it as well, is in "
            "quarantine."
        ),
    ),
    # Billing leaves it out by itself, until a person decides otherwise.
    "imported": Flag(
        HARMLESS,
        gettext_noop(
            "Another system recorded the session; it was imported, and is not billed unless a "
            "person decides so."
        ),
    ),
    "unassigned-energy": Flag(
        HARMLESS,
        gettext_noop(
            "A person gave energy that lay in no session to this id tag; with the id tag "
            "“nobody”, nobody is to pay for it."
        ),
    ),
    "no-meter-stop": Flag(
        HARMLESS,
        gettext_noop(
            "A person ended the session with a stop without a readable meter value: it ends at "
            "its last meter value."
        ),
    ),
    # The energy is right. Whether somebody pays for it, and who, is for a person to say.
    "id-tag-invalid": Flag(LOOK, _REFUSED),
    "id-tag-blocked": Flag(LOOK, _REFUSED),
    "id-tag-expired": Flag(LOOK, _REFUSED),
    "id-tag-concurrenttx": Flag(LOOK, _REFUSED),
    "no-id-tag": Flag(LOOK, gettext_noop("The start named no id tag: the payer is unknown.")),
    "connector-guessed": Flag(
        HARMLESS,
        gettext_noop(
            "The start named no connector, or 0: the session is on the only one that can be meant."
        ),
    ),
    "no-meter-start": Flag(
        LOOK,
        gettext_noop(
            "The charger gave no readable meter value at the start: energy counts from the first "
            "meter value."
        ),
    ),
    "negative-meter-start": Flag(LOOK, gettext_noop("The meter at the start was negative.")),
    "negative-energy": Flag(
        LOOK,
        gettext_noop(
            "The meter at the stop was below the one at the start: the samples count, otherwise 0."
        ),
    ),
    "above-ac": Flag(
        LOOK,
        gettext_noop(
            "More than an AC connector can deliver in that time, and this connector's power is "
            "unknown. Normal for a DC charger: set its highest power."
        ),
    ),
    "duration-unknown": Flag(
        LOOK,
        gettext_noop(
            "The charger's clock was not set at one end of the session, and more energy was "
            "reported than can have flowed since Levity heard of it."
        ),
    ),
    # In no total either.
    "implausible-energy": Flag(
        DO_NOT_BILL,
        gettext_noop(
            "More energy than the connector can deliver in that time. Check before billing."
        ),
    ),
    "below-samples": Flag(
        LOOK,
        gettext_noop(
            "The meter at the stop is below the meter values. If several of them rise, they count."
        ),
    ),
    "start-contradicted": Flag(
        LOOK,
        gettext_noop(
            "The meter at the start does not match the meter values and the stop: their rise "
            "counts."
        ),
    ),
    "stop-far-off": Flag(
        LOOK,
        gettext_noop(
            "The meter at the stop is implausibly far from the last meter values, but counts. "
            "Check before billing."
        ),
    ),
    "stop-contradicted": Flag(
        LOOK,
        gettext_noop("The meter at the stop is implausibly high: the last meter value counts."),
    ),
    # With confidence `low` it may be a thousandth of what was charged: too little, never too much.
    "registers-in-kwh": Flag(
        LOOK,
        gettext_noop(
            "Start and stop seem to be in kWh instead of Wh. With confidence medium, the power or "
            "the meter values prove it and the energy is in Wh; with low, it may be a thousandth "
            "of what was charged."
        ),
    ),
    "may-be-kwh": Flag(
        LOOK,
        gettext_noop(
            "The meter rose more slowly than any car charges, and no power was reported: its "
            "values may be in kWh, and this a thousandth of what was charged."
        ),
    ),
    "samples-in-kwh": Flag(
        HARMLESS,
        gettext_noop(
            "The meter values are in kWh instead of Wh: multiplied by a thousand they continue "
            "from the meter at the start, and count."
        ),
    ),
    "register-reset": Flag(
        LOOK,
        gettext_noop(
            "The meter was reset during the session, or one value was far off: its rise before "
            "and after counts, and what the power says of the time between."
        ),
    ),
    # A charger that was offline sends all of its sessions after a boot: most have lost nothing, and
    # a payer is never billed more for it.
    "booted-within": Flag(
        HARMLESS,
        gettext_noop(
            "The charger restarted during the session, and no meter value shows that its meter "
            "went on: what it had counted before may be missing."
        ),
    ),
    # Exact, if it is what happened.
    "register-rollover": Flag(
        LOOK,
        gettext_noop("The meter reached its highest value during the session and went on from 0."),
    ),
    "power-contradicts": Flag(
        LOOK,
        gettext_noop(
            "The power that the charger reported adds up to another energy than its meter shows. "
            "Check before billing."
        ),
    ),
    "register-fell": Flag(LOOK, gettext_noop("The meter fell below its value at the start.")),
    "charging-after-stop": Flag(
        LOOK,
        gettext_noop(
            "The charger charged on under this session's number after its stop: the Wh behind the "
            "colon are in no session."
        ),
    ),
    "samples-after-stop": Flag(
        HARMLESS,
        gettext_noop(
            "Meter values arrived after the stop; they are stored, the energy is unchanged."
        ),
    ),
    "session-register": Flag(
        HARMLESS,
        gettext_noop("The meter values count from the session's start, not from the meter's."),
    ),
    "id-of-another": Flag(
        LOOK,
        gettext_noop("The stop named another session, but its tag, time and meter match this one."),
    ),
    "ids-may-be-swapped": Flag(
        LOOK,
        gettext_noop(
            "Its stop may be that of a session on another connector, and the other way round: "
            "both meters match both sessions, and no tag or meter value tells them apart."
        ),
    ),
    "own-id": Flag(
        HARMLESS,
        gettext_noop(
            "The charger uses this number for the session instead of the one it was given."
        ),
    ),
    "another-start": Flag(
        LOOK, gettext_noop("Another start on its connector arrived meanwhile and is in quarantine.")
    ),
    # Nothing was charged, and a fee for each session would be charged twice.
    "started-twice": Flag(
        DO_NOT_BILL,
        gettext_noop(
            "The charger reported its start twice and continued with the other id; nothing was "
            "charged in this session."
        ),
    ),
    # By elimination: nobody said that it is this one.
    "matched-by-connector": Flag(
        LOOK, gettext_noop("The stop named no transaction, and only this one can be meant.")
    ),
    "orphaned": Flag(
        LOOK, gettext_noop("No stop arrived; Levity closed the session from the last meter value.")
    ),
    "started-again": Flag(
        DO_NOT_BILL,
        gettext_noop(
            "The charger reported its start again with another time: the later session has its "
            "energy."
        ),
    ),
    # What is told twice is billed once; who got it is what the evidence says.
    "overlaps-next": Flag(
        LOOK,
        gettext_noop(
            "Its stop shows energy that the next session on the connector has charged: it was cut "
            "at the next start."
        ),
    ),
    "overlaps-previous": Flag(
        LOOK,
        gettext_noop(
            "The session before on the connector claimed a part of its energy, too, and was cut "
            "at this start."
        ),
    ),
    "ends-at-next-start": Flag(
        LOOK,
        gettext_noop(
            "Its stop is missing or has no readable meter value: it ends at the meter value with "
            "which the next session on the connector starts."
        ),
    ),
    "starts-at-last-stop": Flag(
        LOOK,
        gettext_noop(
            "Its start is missing or older than the last stop on the connector: energy counts "
            "from there."
        ),
    ),
    "neighbours-disagree": Flag(
        DO_NOT_BILL,
        gettext_noop(
            "Another session on the connector claims the same energy, and nothing shows which is "
            "right. Check before billing."
        ),
    ),
}
"""Each flag of ours by its name; `own-id:4711` is `own-id` with a value."""
