"""What a signature is worth, value by value and for a whole session."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from levity.ocpp.rules.signed import alfen, ocmf
from levity.ocpp.rules.signed.containers import ALFEN, OCMF, Container
from levity.ocpp.rules.signed.keys import BadKey
from levity.ocpp.rules.signed.readings import BadData, Signed, SignedReading
from levity_ws.frozen import frozen

__all__ = ["EnteredKey", "Judged", "Session", "Verdict", "judge", "session_of"]


class Verdict(StrEnum):
    """From the best to the worst."""

    VERIFIED = "verified with your key"
    SELF_ASSERTED = "self-asserted"
    """The key came with the value: it shows that nothing was changed on the way, not by whom it
    was signed."""
    UNCHECKED = "not checked"
    """A format, a curve or a key that can't be used here, or no key at all."""
    FAILS = "does not verify"


@frozen
class EnteredKey:
    """A key that a person read off the meter, or from its maker's register."""

    key: str
    connector: int | None
    """None: of the whole charge point."""
    since: datetime | None
    until: datetime | None
    """Excluded, like `since` is included; None: no limit."""

    def is_for(self, connector: int | None, at: datetime) -> bool:
        """Whether it is the key of this connector at that moment."""
        place = self.connector is None or self.connector == connector
        begun = self.since is None or self.since <= at
        return place and begun and (self.until is None or at < self.until)


@frozen
class Judged:
    """One piece of signed data."""

    container: Container
    sampled_at: datetime
    context: str
    verdict: Verdict
    why: str
    """For people; empty where there is nothing to say."""
    signed: Signed | None
    """None: it can't be read here."""
    key: str
    """By which it was judged; empty: none."""


@frozen
class Session:
    """What the signed data of a session says together."""

    verdict: Verdict | None
    """None: there is no signed data."""
    why: str
    wh: Decimal | None
    """From its first reading to its last, of one register; None: they don't say, or one of them
    does not verify."""
    first: SignedReading | None
    last: SignedReading | None
    meter: str
    values: tuple[Judged, ...]

    @property
    def verified_wh(self) -> Decimal | None:
        """The energy by which it can be billed, to the thousandth of a Wh; None: by none."""
        if self.verdict is not Verdict.VERIFIED or self.wh is None:
            return None
        return self.wh.quantize(MILLI)


def judge(
    container: Container, sampled_at: datetime, context: str, entered: Sequence[EnteredKey]
) -> Judged:
    """`entered`: the keys of its connector at that time. One that was entered decides: what the
    charger says of its key is a claim."""
    signed, why = _read(container)
    own = container.public_key or _carried(container)
    keys = [each.key for each in entered] or ([own] if own else [])
    verdict, reason, used = _verdict(container, keys, is_entered=bool(entered))
    if verdict is Verdict.FAILS and entered and own:
        itself, _, _ = _verdict(container, [own], is_entered=False)
        if itself is Verdict.SELF_ASSERTED:
            reason = (
                "it verifies with the key that the charger sends, which is not the one that you "
                "entered: was the meter replaced?"
            )
    return Judged(container, sampled_at, context, verdict, reason or why, signed, used)


def session_of(values: Iterable[Judged]) -> Session:
    """The worst verdict of its values, and what they come to."""
    judged = tuple(values)
    if not judged:
        return Session(None, "", None, None, None, "", ())
    order = list(Verdict)
    worst = max(judged, key=lambda each: order.index(each.verdict))
    meters = {each.signed.meter for each in judged if each.signed and each.signed.meter}
    meter = meters.pop() if len(meters) == 1 else ""
    first, last, why = (None, None, "its values are of several meters") if meters else _ends(judged)
    wh = None if first is None or last is None else _difference(first, last)
    if worst.verdict is Verdict.FAILS:
        wh = None
    if worst.verdict is Verdict.VERIFIED and wh is None:
        return Session(Verdict.UNCHECKED, why, None, first, last, meter, judged)
    return Session(worst.verdict, worst.why or why, wh, first, last, meter, judged)


def _read(container: Container) -> tuple[Signed | None, str]:
    try:
        if container.format == OCMF:
            return ocmf.read(container.text), ""
        if container.format == ALFEN:
            return alfen.read(container.text), ""
    except BadData as error:
        return None, str(error)
    return None, ""


def _carried(container: Container) -> str:
    try:
        return alfen.key_in(container.text) if container.format == ALFEN else ""
    except BadData:
        return ""


def _verdict(
    container: Container, keys: Sequence[str], *, is_entered: bool
) -> tuple[Verdict, str, str]:
    verify: Callable[[str, str], bool] | None = {OCMF: ocmf.verify, ALFEN: alfen.verify}.get(
        container.format
    )
    if verify is None:
        name = container.method or "its format"
        return Verdict.UNCHECKED, f"{name} is kept and exported, but not verified here", ""
    if not keys:
        return Verdict.UNCHECKED, "there is no public key: enter that of the meter", ""
    failed, problem = "", ""
    for key in keys:
        try:
            if verify(container.text, key):
                return (Verdict.VERIFIED if is_entered else Verdict.SELF_ASSERTED), "", key
            failed = failed or key
        except BadKey as error:
            problem = f"the public key can't be used: {error}"
        except BadData as error:
            problem = str(error)
    if failed:
        return Verdict.FAILS, "the signature is not that of this key over this data", failed
    return Verdict.UNCHECKED, problem, keys[-1]


MILLI = Decimal("0.001")
# TX of OCMF: what ends a session, in whichever way, and what lies in between.
BEGIN, ENDS = "B", frozenset("ELRAPST")


def _ends(judged: Sequence[Judged]) -> tuple[SignedReading | None, SignedReading | None, str]:
    """The first and the last reading of the register in which both are, and what is odd."""
    by_register: dict[str, list[SignedReading]] = {}
    for each in judged:
        for reading in each.signed.readings if each.signed else ():
            if reading.wh is not None:
                by_register.setdefault(reading.obis, []).append(reading)
    for readings in by_register.values():
        told = [reading for reading in readings if reading.kind]
        first = next((it for it in readings if it.kind == BEGIN), None)
        last = next((it for it in reversed(readings) if it.kind in ENDS), None)
        if not told and len(readings) > 1:
            # Formats that say no kind: the first and the last.
            first, last = readings[0], readings[-1]
        if first is None or last is None:
            continue
        return first, last, _odd(readings, first, last)
    return None, None, "a signed reading of the begin or of the end is missing"


def _odd(readings: Sequence[SignedReading], first: SignedReading, last: SignedReading) -> str:
    if not (first.is_good and last.is_good):
        return "the meter itself says that something was wrong with the reading"
    if any(after.wh < before.wh for before, after in pairwise(readings)):  # type: ignore[operator]
        return "the signed register fell"
    if not (first.is_synchronised and last.is_synchronised):
        return "the meter's clock was not synchronised; the energy is not affected"
    return ""


def _difference(first: SignedReading, last: SignedReading) -> Decimal | None:
    assert first.wh is not None
    assert last.wh is not None
    if not (first.is_good and last.is_good) or last.wh < first.wh:
        return None
    return last.wh - first.wh
