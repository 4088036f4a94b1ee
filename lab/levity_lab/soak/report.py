"""What a run leaves behind: report.html for people, report.json for everything else."""

import platform
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import orjson

from levity_lab.soak.plot import COLOURS, timeline
from levity_lab.soak.rounds import NORMAL_WITHIN, Round
from levity_lab.soak.run import Report
from levity_lab.soak.sittings import Line, by_fault
from levity_lab.soak.verdict import Counts

__all__ = ["as_dict", "write_report"]

BAD = ("lost", "duplicated", "unexpected", "wrong_energy")
COLUMNS = ("attempted", "acknowledged", *BAD, "recovered")

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 1000px; padding: 12px;
  color: #0f172a; background: #fff }
h1 { font-size: 1.4em } h2 { font-size: 1.05em; margin: 2em 0 .3em }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 14px; min-width: 640px }
th, td { padding: 3px 9px; text-align: right; border-bottom: 1px solid #e2e8f0 }
th:first-child, td:first-child { text-align: left; white-space: nowrap }
.good { color: #047857 } .bad { color: #b91c1c; font-weight: 600 }
svg { width: 100%; height: auto; display: block } svg text { font: 11px system-ui, sans-serif }
svg .r { text-anchor: end } svg .m { text-anchor: middle }
.key span { display: inline-block; margin-right: 1.2em } .key i { display: inline-block;
  width: 14px; height: 3px; vertical-align: middle; margin-right: 5px }
pre { white-space: pre-wrap; background: #fef2f2; padding: 8px; font-size: 13px }
p { margin: .3em 0 } a { color: #1d4ed8 }
@media (max-width: 600px) { svg { min-width: 640px } }
"""


def write_report(report: Report) -> Path:
    """Write both files into the run's folder; the path of the page."""
    folder = report.options.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(
        orjson.dumps(as_dict(report), option=orjson.OPT_INDENT_2) + b"\n"
    )
    page = folder / "report.html"
    page.write_text(_page(report), encoding="utf-8")
    return page


def as_dict(report: Report) -> dict[str, Any]:
    """The whole run, for JSON."""
    options = report.options
    return {
        "begun": report.begun.isoformat(),
        "seconds": round(report.seconds, 1),
        "good": report.good,
        "interrupted": report.interrupted,
        "python": platform.python_version(),
        "chargers": options.chargers,
        "factor": options.factor,
        "workers": options.workers,
        "edges": options.edges,
        "seeds": list(options.seeds),
        "brief": options.brief,
        "counts": asdict(report.counts),
        "odd": report.odd,
        "faults": [asdict(line) for line in by_fault(report.rounds)],
        "rounds": [{"good": each.good, **asdict(each)} for each in report.rounds],
    }


def _page(report: Report) -> str:
    verdict = '<b class="good">passed</b>' if report.good else '<b class="bad">FAILED</b>'
    options = report.options
    rows = "".join(_row(each) for each in report.rounds)
    faults = "".join(_fault(line) for line in by_fault(report.rounds))
    # Of earlier sittings there is the verdict, but no timeline.
    rounds = "".join(_round(each) for each in report.rounds if each.samples)
    odd = f"<pre>{escape(chr(10).join(report.odd))}</pre>" if report.odd else ""
    interrupted = "<p>Interrupted: what is shown is what was finished.</p>"
    key = "".join(
        f'<span><i style="background:{colour}"></i>{name}</span>'
        for name, colour in (
            ("answers a second (left)", COLOURS["answers"]),
            ("chargers connected (right)", COLOURS["connected"]),
            ("transaction messages that wait (right)", COLOURS["waiting"]),
        )
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Levity: soak</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1>Levity under faults: {verdict}</h1>
<p>{report.begun:%Y-%m-%d %H:%M} UTC, {report.seconds:.0f} s, {len(report.rounds)} rounds;
{options.chargers} chargers whose time ran {options.factor:g} times as fast, {options.workers}
workers, {options.edges} edges.</p>
{interrupted if report.interrupted else ""}{odd}
<p>A round passes with nothing lost, duplicated or unexpected, no energy other than the chargers'
meters moved, no CALLERROR to a transaction message, and everything normal within
{NORMAL_WITHIN:g} s of the fault's end.</p>
<div class="wide"><table><thead><tr><th>fault</th>{_heads()}<th>given up</th><th>rounds</th>
<th>failed</th><th>normal after</th><th>slowest</th></tr></thead>
<tbody>{faults}</tbody></table></div>
<h2>Every round</h2>
<div class="wide"><table><thead><tr><th>fault, seed</th>{_heads()}<th>given up</th>
<th>normal after</th></tr></thead><tbody>{rows}</tbody></table></div>
<p class="key">{key}<span><i style="background:#fecaca;height:10px"></i>fault</span>
<span><i style="background:#fef3c7;height:10px"></i>until normal</span></p>
{rounds}</body></html>
"""


def _heads() -> str:
    return "".join(f"<th>{name.replace('_', ' ')}</th>" for name in COLUMNS)


def _cells(counts: Counts) -> str:
    cells = []
    for name in COLUMNS:
        value = getattr(counts, name)
        bad = ' class="bad"' if value and name in BAD else ""
        cells.append(f"<td{bad}>{value}</td>")
    return "".join([*cells, f"<td>{counts.given_up}</td>"])


def _fault(line: Line) -> str:
    normal, slowest = (
        "never" if each is None else f"{each:.1f} s" for each in (line.normal, line.slowest)
    )
    failed = ' class="bad"' if line.failed else ""
    return (
        f"<tr><td>{escape(line.fault)}</td>{_cells(line.counts)}<td>{line.rounds}</td>"
        f"<td{failed}>{line.failed}</td><td>{normal}</td><td>{slowest}</td></tr>"
    )


def _row(played: Round) -> str:
    mark = "good" if played.good else "bad"
    return (
        f'<tr><td><a class="{mark}" href="#{escape(played.prefix)}">{escape(played.fault)}, '
        f"{played.seed}</a></td>{_cells(played.counts)}<td>{_normal(played)}</td></tr>"
    )


def _normal(played: Round) -> str:
    return "never" if played.normal_after is None else f"{played.normal_after:.1f} s"


def _round(played: Round) -> str:
    done = ", ".join(f"{name}: {number}" for name, number in played.counted.items())
    troubles = ", ".join(f"{name}: {number}" for name, number in sorted(played.troubles.items()))
    wrong = [*played.odd, *played.counts.examples]
    about = (
        f"{played.about} ({', '.join(played.checks) or 'no check'}); "
        f"{played.fault_to - played.fault_from:.0f} s, normal after {_normal(played)}"
        f"{'; ' + done if done else ''}"
        f"{'; at the chargers: ' + troubles if troubles else ''}"
    )
    lines = [
        f'<h2 id="{escape(played.prefix)}">{escape(played.fault)}, seed {played.seed}</h2>',
        f"<p>{escape(about)}</p>",
        f"<pre>{escape(chr(10).join(wrong))}</pre>" if wrong else "",
        f'<div class="wide">{timeline(played)}</div>',
    ]
    return "".join(lines)
