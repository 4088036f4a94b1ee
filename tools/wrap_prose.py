"""`make format` wraps the prose of README and docs at 100 columns; `make lint` checks that it is.

    tools/wrap_prose.py [--check] [FILE ...]

Tables, headings, code blocks and HTML comments stay as they are, and so does what has no space to
break at: a link's address, a piece of code in backticks.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["main", "pages", "too_long", "wrapped"]

TOP = Path(__file__).resolve().parent.parent
WIDTH = 100
FENCE = re.compile(r"^\s*(```|~~~)")
ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])(\s+)")
# What can't be broken: words, with the pieces of code that they touch.
WORD = re.compile(r"(?:`[^`]*`|[^\s`])+")
# A line that begins with one of these would no longer be the paragraph's next line.
BEGINS_A_BLOCK = re.compile(r"^([-*+>|]|#+|\d+[.)]|={2,}|-{2,})$|^[>|]")


def pages() -> list[Path]:
    """Every page that a person reads."""
    names = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
    return [*(TOP / name for name in names), *sorted((TOP / "docs").rglob("*.md"))]


def left_alone(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith(("|", "#", "<!--", ">"))


def blocks(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The page in pieces: (is a paragraph or a list item, its lines)."""
    fenced = False
    block: list[str] = []
    for line in text.splitlines():
        fence = bool(FENCE.match(line))
        if fenced or fence or left_alone(line):
            if block:
                yield True, block
                block = []
            yield False, [line]
            fenced ^= fence
        elif block and ITEM.match(line):
            yield True, block
            block = [line]
        else:
            block.append(line)
    if block:
        yield True, block


def wrapped_block(lines: Sequence[str]) -> list[str]:
    """One paragraph or list item, wrapped; a hard line break (two blanks) stays."""
    if any(line.endswith(("  ", "\\")) for line in lines[:-1]):
        return list(lines)
    item = ITEM.match(lines[0])
    first = item[0] if item else re.match(r"\s*", lines[0])[0]  # type: ignore[index]
    rest = " " * len(first)
    words = WORD.findall(" ".join([lines[0][len(first) :], *lines[1:]]))
    done, line = [], first
    for word in words:
        joined = line + word if line in (first, rest) else f"{line} {word}"
        if len(joined) > WIDTH and line not in (first, rest) and not BEGINS_A_BLOCK.match(word):
            done.append(line)
            joined = rest + word
        line = joined
    return [*done, line]


def wrapped(text: str) -> str:
    """The page with its prose wrapped."""
    lines: list[str] = []
    for prose, block in blocks(text):
        lines += wrapped_block(block) if prose else block
    return "\n".join(lines) + "\n"


def too_long(path: Path) -> bool:
    """Whether the page's prose is not wrapped as this program would."""
    text = path.read_text(encoding="utf-8")
    return wrapped(text) != text


def main(arguments: Sequence[str]) -> int:
    """Wrap the pages; with --check only name those that are not wrapped, and return 1."""
    check = "--check" in arguments
    named = [Path(name).resolve() for name in arguments if not name.startswith("-")]
    found = [path for path in named or pages() if too_long(path)]
    for path in found:
        print(f"{'not wrapped' if check else 'wrapped'}: {path.relative_to(TOP)}")
        if not check:
            path.write_text(wrapped(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
