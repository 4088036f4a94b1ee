"""`make checks-report`: which checks of docs/evidence/checks.md have a test, and which have none.

A test covers a check by naming its id (`D-01`) in its docstring or in its parameters. Exit status 1
if a section that is named as an argument (`D I`) has a check without a test.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["checks", "covering_tests", "main"]

TOP = Path(__file__).resolve().parent.parent
CHECK = re.compile(r"^\| ([A-Z]-\d\d) ([CNR]) \| (.*?) \| ", re.MULTILINE)
SECTION = re.compile(r"^### ([A-Z]): (.*)$", re.MULTILINE)
ID = re.compile(r"\b([A-Z]-\d\d)(?:\.\.(\d\d))?\b")
TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)
WHEN = {"C": "every run", "N": "soak", "R": "release"}


def checks(text: str) -> dict[str, tuple[str, str]]:
    """Id -> (C, N or R; what the fault is), in the order of the document."""
    return {item[1]: (item[2], item[3]) for item in CHECK.finditer(text)}


def covering_tests(files: Sequence[Path]) -> dict[str, list[str]]:
    """Id -> the tests that name it. A range is written `D-05..07`."""
    covering: dict[str, list[str]] = defaultdict(list)
    for path in files:
        text = path.read_text()
        starts = [(match.start(), match[1]) for match in TEST.finditer(text)]
        for match in ID.finditer(text):
            first, last = int(match[1][2:]), int(match[2] or match[1][2:])
            # Decorators and their parameters stand before the `def`; a docstring behind it.
            before = [name for start, name in starts if start < match.start()]
            name = f"{path.stem}::{before[-1]}" if before else path.stem
            for number in range(first, last + 1):
                found = covering[f"{match[1][0]}-{number:02d}"]
                if name not in found:
                    found.append(name)
    return covering


def report(
    known: Mapping[str, tuple[str, str]], covering: Mapping[str, Sequence[str]], titles: str
) -> list[str]:
    """The lines to print."""
    lines = []
    for section in SECTION.finditer(titles):
        ids = [item for item in known if item.startswith(f"{section[1]}-")]
        done = [item for item in ids if covering.get(item)]
        lines.append(f"{section[1]}: {section[2]} ({len(done)} of {len(ids)} covered)")
        for item in ids:
            when, fault = known[item]
            tests = covering.get(item, ())
            mark = f"{len(tests)} tests" if len(tests) > 1 else (tests[0] if tests else "NO TEST")
            lines.append(f"  {item} {WHEN[when]:<9} {fault[:60]:<60} {mark}")
    return lines


def main(arguments: Sequence[str]) -> int:
    """Print the report; 1 if one of the named sections is not wholly covered."""
    text = (TOP / "docs" / "evidence" / "checks.md").read_text()
    known = checks(text)
    files = sorted([*(TOP / "be" / "tests").rglob("*.py"), *(TOP / "ws" / "tests").rglob("*.py")])
    covering = covering_tests([path for path in files if "node_modules" not in path.parts])
    print("\n".join(report(known, covering, text)))
    missing = [item for item in known if item[0] in arguments and not covering.get(item)]
    if missing:
        print(f"\nwithout a test: {', '.join(missing)}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
