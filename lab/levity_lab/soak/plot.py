"""The timeline of one round as SVG, by hand: three curves, the fault, and who started and ended."""

from collections.abc import Sequence
from html import escape

from levity_lab.soak.rounds import Round, Sample

__all__ = ["timeline"]

WIDTH, LEFT, RIGHT = 900, 64, 46
TOP, HEIGHT, LANE = 16, 120, 14
COLOURS = {"answers": "#2563eb", "connected": "#059669", "waiting": "#d97706"}


def timeline(played: Round) -> str:
    """An `<svg>` element that is as wide as there is room."""
    end = max(played.seconds, played.samples[-1].at if played.samples else 1.0, 1.0)
    lanes = list(dict.fromkeys(each.who for each in played.happenings))
    bottom = TOP + HEIGHT
    whole = bottom + 22 + LANE * len(lanes) + 6

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / end

    rates = _rates(played.samples)
    most_rate = max((rate for _, rate in rates), default=0.0) or 1.0
    most = max([played.chargers, *(each.waiting for each in played.samples)]) or 1

    def y(value: float, top: float) -> float:
        return bottom - (HEIGHT - 6) * value / top

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {whole}" role="img" xmlns="http://www.w3.org/2000/svg">',
        f"<title>timeline of {escape(played.prefix)}</title>",
        *_band(x(played.fault_from), x(played.fault_to), "#fecaca", "fault", whole),
    ]
    if played.normal_after is not None:
        normal = played.fault_to + played.normal_after
        parts += _band(x(played.fault_to), x(normal), "#fef3c7", "", whole)
    parts += _axes(x, end, bottom, most_rate, most)
    for name, points in (
        ("answers", [(x(at), y(rate, most_rate)) for at, rate in rates]),
        ("connected", [(x(each.at), y(each.connected, most)) for each in played.samples]),
        ("waiting", [(x(each.at), y(each.waiting, most)) for each in played.samples]),
    ):
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.5"/>'
        )
    for number, who in enumerate(lanes):
        level = bottom + 30 + LANE * number
        parts.append(f'<text x="{LEFT - 4}" y="{level}" class="r">{escape(_short(who))}</text>')
        for each in played.happenings:
            if each.who == who:
                colour = "#059669" if each.what == "started" else "#dc2626"
                parts.append(
                    f'<circle cx="{x(each.at):.1f}" cy="{level - 3}" r="3" fill="{colour}">'
                    f"<title>{each.at:.1f} s: {escape(who)} {escape(each.what)}</title></circle>"
                )
    return "".join([*parts, "</svg>"])


def _rates(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Answers a second, over about a second each."""
    found = []
    for before, now in zip(samples, samples[4:], strict=False):
        passed = now.at - before.at
        if passed > 0:
            found.append((now.at, (now.answered - before.answered) / passed))
    return found


def _band(start: float, end: float, colour: str, name: str, whole: float) -> list[str]:
    width, height = max(end - start, 1.0), whole - TOP
    box = f'x="{start:.1f}" y="{TOP}" width="{width:.1f}" height="{height:.0f}"'
    rect = f'<rect {box} fill="{colour}" opacity=".6"/>'
    return [rect, f'<text x="{start + 3:.1f}" y="{TOP - 4}">{name}</text>'] if name else [rect]


def _axes(x: object, end: float, bottom: float, most_rate: float, most: float) -> list[str]:
    assert callable(x)
    rate, count = COLOURS["answers"], COLOURS["connected"]
    right = WIDTH - RIGHT
    parts = [
        f'<line x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#94a3b8"/>',
        f'<text x="{LEFT - 4}" y="{TOP + 10}" class="r" fill="{rate}">{most_rate:.0f}/s</text>',
        f'<text x="{right + 4}" y="{TOP + 10}" fill="{count}">{most}</text>',
    ]
    step = next((each for each in (5, 10, 20, 60, 120, 600) if end / each <= 12), 1800)
    for second in range(0, int(end) + 1, step):
        at = x(second)
        parts.append(
            f'<line x1="{at:.1f}" y1="{bottom}" x2="{at:.1f}" y2="{bottom + 4}" stroke="#94a3b8"/>'
        )
        parts.append(f'<text x="{at:.1f}" y="{bottom + 15}" class="m">{second} s</text>')
    return parts


def _short(who: str) -> str:
    return who if len(who) <= 8 else who.replace("worker", "w").replace("database", "db")
