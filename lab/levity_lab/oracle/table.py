"""The table by cause, and the examples of what is wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from levity_lab.oracle.lives import Session
from levity_lab.oracle.oddities.shares import SHARES, WITH_POWER
from levity_lab.oracle.verdict import KINDS, Judged, Over, Verdict, allowed

__all__ = ["Tally", "cause_of", "example", "over_line", "table", "tallied"]

NEIGHBOURS = "; neighbours"
_LONGEST = 400
"""Characters of a frame in an example."""
_BAD = ("high", "unflagged", "lost", "doubled")
_HEADS = {
    "right": "right",
    "marked": "marked",
    "flagged": "w.flag",
    "high": "w.HIGH",
    "unflagged": "w.NOFL",
    "quarantined": "quar.",
    "untold": "untold",
    "lost": "LOST",
    "doubled": "DOUBL",
}


@dataclass(slots=True)
class Tally:
    """What became of all sessions of one cause."""

    cause: str
    n: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    powered: Counter[str] = field(default_factory=Counter)
    """The same of makes that tell their power."""
    untellable: int = 0
    """Wrong at high or without a flag, and nothing on the wire contradicts it."""
    true: float = 0.0
    billed: float = 0.0
    over: int = 0
    """Connectors on which more is billed than their meters moved."""
    phantom: float = 0.0

    @property
    def is_bad(self) -> bool:
        """The run fails for it."""
        wrong = sum(self.kinds[kind] for kind in _BAD)
        return wrong > self.untellable or self.over > 0

    @property
    def share(self) -> float:
        """Of its sessions so many are right, marked or not; where `WITH_POWER`, of those that tell
        it."""
        kinds = self.powered if self.cause in WITH_POWER else self.kinds
        every = kinds.total()
        return (kinds["right"] + kinds["marked"]) / every if every else 1.0

    @property
    def share_wanted(self) -> float:
        """So many must be; 0: as many as can be. Neighbours must all be."""
        if self.cause.endswith(NEIGHBOURS):
            return 1.0
        return SHARES.get(self.cause, 0.0)

    @property
    def is_all_right(self) -> bool:
        """Nothing to say of it."""
        return self.kinds["right"] == self.n and not self.over and not self.phantom

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        kinds = {kind: self.kinds[kind] for kind in KINDS}
        return {
            "cause": self.cause,
            "n": self.n,
            **kinds,
            "share": round(self.share, 4) if self.n else None,
            "share_wanted": self.share_wanted,
            "untellable": self.untellable,
            "true_wh": round(self.true, 1),
            "billed_wh": round(self.billed, 1),
            "connectors_over": self.over,
            "phantom_wh": round(self.phantom, 1),
        }


def tallied(verdict: Verdict, tallies: dict[str, Tally]) -> None:
    """Add this verdict."""

    def of(cause: str) -> Tally:
        return tallies.setdefault(cause, Tally(cause))

    for each in verdict.judged:
        tally = of(cause_of(each))
        tally.n += 1
        tally.kinds[each.kind] += 1
        if each.life.make.power:
            tally.powered[each.kind] += 1
        tally.true += each.session.truth
        tally.billed += each.billed
        if each.kind in ("high", "unflagged") and not each.is_bad:
            tally.untellable += 1
    for over in verdict.over:
        of(over.life.cause).over += 1
    for cause, wh in verdict.phantom.items():
        of(cause).phantom += wh


def cause_of(judged: Judged) -> str:
    """Its oddity, or whose neighbour it is."""
    if judged.session.cause:
        return judged.session.cause
    return f"{judged.life.cause}{NEIGHBOURS}"


def table(tallies: Iterable[Tally], *, everything: bool = False) -> str:
    """Worst first; what is all right in one line at the end."""
    every = sorted(tallies, key=lambda each: (-_weight(each), each.cause))
    shown = [each for each in every if everything or not each.is_all_right]
    lines = [_line("cause", "n", list(_HEADS.values()), "kWh true -> billed", "over", "untell.")]
    lines += [_row(each) for each in shown]
    total = Tally("all")
    for each in every:
        total.n += each.n
        total.kinds += each.kinds
        total.true += each.true
        total.billed += each.billed
        total.over += each.over
        total.phantom += each.phantom
        total.untellable += each.untellable
    lines.append(_row(total))
    bad = ", ".join(f"{total.kinds[kind]} {kind}" for kind in _BAD)
    lines.append(
        f"\nmust be 0: {bad} (of these {total.untellable} that nothing tells), {total.over} over"
    )
    good = [each for each in every if each.is_all_right]
    named = ", ".join(f"{each.cause} {each.n}" for each in good)
    lines.append(f"all right ({sum(each.n for each in good)} sessions): {named or 'none'}")
    for each in every:
        if (wanted := each.share_wanted) and each.n and each.share < wanted:
            lines.append(
                f"below its share: {each.cause} {each.share:.1%} right, {wanted:.0%} wanted"
            )
    lines.append(f"phantom: {total.phantom / 1000:,.1f} kWh in rows of no true session")
    return "\n".join(lines)


def _weight(tally: Tally) -> float:
    bad = sum(tally.kinds[kind] for kind in _BAD) - tally.untellable
    wrong = tally.n - tally.kinds["right"] - tally.kinds["marked"]
    return bad * 1000 + tally.over * 10 + wrong


def _row(tally: Tally) -> str:
    kinds = [str(tally.kinds[kind] or ".") for kind in _HEADS]
    energy = f"{tally.true / 1000:,.0f} -> {tally.billed / 1000:,.0f}"
    return _line(
        tally.cause,
        str(tally.n),
        kinds,
        energy,
        str(tally.over or "."),
        str(tally.untellable or "."),
    )


def _line(cause: str, n: str, kinds: Sequence[str], energy: str, over: str, untold: str) -> str:
    cells = "".join(f"{kind:>7}" for kind in kinds)
    return f"{cause:<40}{n:>6}{cells}{energy:>22}{over:>6}{untold:>8}"


def example(judged: Judged, *, most: int = 24) -> str:
    """The frames around one session and the rows in the database."""
    life, session = judged.life, judged.session
    lines = [
        f"{judged.kind}: {cause_of(judged)} ({life.identity}, make {life.make.name})",
        f"  connector {session.connector.number} of {len(life.connectors)}, tag {session.tag}",
        f"  true {session.truth:.0f} Wh (+-{allowed(session, life):.0f})"
        + ("" if session.tellable else "; nothing on the wire contradicts another figure"),
    ]
    for row in judged.rows:
        lines.append("  row " + ", ".join(f"{name} {value}" for name, value in row.items()))
    for row in judged.quarantined:
        lines.append(f"  quarantine: {row['action']} {row['payload']}: {row['reason']}")
    first = min([session.begins, *(step.at for step in session.steps() if step.sent)]) - 60
    last = max([session.ends, *(step.at for step in session.steps() if step.sent)]) + 60
    ids = {number for each in session.connector.sessions for number in each.ids}
    others = {number for each in life.sessions for number in each.ids} - ids
    said = [
        (at, socket, frame, answer)
        for at, socket, frame, answer in sorted(life.journal)
        if (first <= at <= last and _is_about(orjson.loads(frame)[3], session, others))
        or _names(frame, session.ids)
    ]
    shown = said if len(said) <= most else [*said[: most // 2], *said[-most // 2 :]]
    for number, (at, socket, frame, answer) in enumerate(shown):
        if number == most // 2 and len(said) > most:
            lines.append(f"  ... {len(said) - most} frames ...")
        second = "(2) " if socket else ""
        lines.append(f"  {at - session.begins:+9.1f} s {second}{_short(frame)}")
        is_dull = "StatusNotification" in frame or "MeterValues" in frame
        if not is_dull or not answer.startswith("[3"):
            lines.append(f"{'':>14} -> {answer}")
    return "\n".join(lines)


def _names(frame: str, ids: Sequence[int]) -> bool:
    return any(f'"transactionId":{number},' in frame for number in ids)


def _short(frame: str) -> str:
    """The frame; of MeterValues only what they say, shorter."""
    _, _, action, payload = orjson.loads(frame)
    if action != "MeterValues":
        return f"{action} {orjson.dumps(payload).decode()[:_LONGEST]}"
    told = [
        f"{element['timestamp'][11:19]} "
        + ", ".join(
            f"{value['value']} {value.get('unit', '')} {value.get('phase', '')}".strip()
            for value in element["sampledValue"]
            if value.get("measurand") != "Voltage"
        )
        for element in payload["meterValue"]
    ]
    return f"MeterValues c{payload['connectorId']} id {payload.get('transactionId', '-')} {told}"


def _is_about(payload: dict[str, Any], session: Session, others: set[int]) -> bool:
    """False for what is of another connector."""
    if "connectorId" in payload:
        return payload["connectorId"] in (0, session.connector.number)
    return payload.get("transactionId") not in others


def over_line(over: Over) -> str:
    """One connector that is billed too much."""
    return (
        f"{over.life.cause}: {over.life.identity} connector {over.connector.number}: meter moved "
        f"{over.moved:.0f} Wh, billed {over.billed:.0f} Wh ({over.plausible:.0f} Wh plausible)"
    )
