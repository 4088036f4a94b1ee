r"""The patterns of quirk profiles: a small language that no text can make slow.

Like a regular expression, and read as one, from the start and with case ignored: letters as they
are, `.` for any character, `[abc]` and `[0-9]` for one of several, `?` `*` `+` behind a character,
`|` between alternatives, `( | )` around some of them, with `?` behind it if they may be missing,
`$` for the end, `\` before a sign that is meant itself. All places at which a text can fit so far
are followed side by side, so nothing is ever tried twice.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

__all__ = ["BadPattern", "fits"]

LONGEST = 200
"""Characters of a pattern, and of the text that it is held against."""
_SPECIAL = frozenset("|()[]?*+$")

Places = frozenset[int]
Step = Callable[[str, Places], Places]
"""From where a text fits so far to where it fits behind this step."""


class BadPattern(ValueError):
    """It is no pattern; the text says what in it is not understood."""


def fits(pattern: str, text: str) -> bool:
    """True if the text begins with what the pattern says. Raises `BadPattern`."""
    return bool(_compiled(pattern)(text[:LONGEST].lower(), frozenset({0})))


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Step:
    if not isinstance(pattern, str) or len(pattern) > LONGEST:
        raise BadPattern(f"not a text of at most {LONGEST} characters")
    reader = _Reader(pattern.lower())
    step = reader.alternatives()
    if reader.rest:
        raise BadPattern(f"{reader.rest!r} is not understood")
    return step


class _Reader:
    """Reads a pattern from the left to the right."""

    def __init__(self, pattern: str) -> None:
        self.rest = pattern

    def alternatives(self) -> Step:
        """Up to the end, or to the bracket that closes."""
        steps = [self._sequence()]
        while self._took("|"):
            steps.append(self._sequence())
        return steps[0] if len(steps) == 1 else _any_of(steps)

    def _sequence(self) -> Step:
        steps: list[Step] = []
        while self.rest and self.rest[0] not in "|)":
            steps.append(self._piece())
        return _one_after_another(steps)

    def _piece(self) -> Step:
        if self._took("("):
            step = self.alternatives()
            if not self._took(")"):
                raise BadPattern("a ( has no )")
            if self.rest[:1] in ("*", "+"):
                raise BadPattern(f"{self.rest[0]} stands behind one character only")
            return _maybe(step) if self._took("?") else step
        if self._took("$"):
            return lambda text, places: places & {len(text)}
        step = _character(self._characters())
        if self._took("?"):
            return _maybe(step)
        if self._took("*"):
            return _again(step)
        if self._took("+"):
            return _one_after_another([step, _again(step)])
        return step

    def _characters(self) -> Callable[[str], bool]:
        if self._took("["):
            inside, bracket, self.rest = self.rest.partition("]")
            if not bracket or not inside or "\\" in inside:
                raise BadPattern("a [ has no ], or nothing behind it that can be read")
            return _of_class(inside)
        sign, self.rest = self.rest[0], self.rest[1:]
        if sign == "\\":
            if not self.rest or self.rest[0].isalnum():
                raise BadPattern("\\ makes a sign mean itself, and stands before nothing else")
            sign, self.rest = self.rest[0], self.rest[1:]
            return lambda found: found == sign
        if sign in _SPECIAL:
            raise BadPattern(f"{sign} has nothing before it; \\{sign} means the sign itself")
        return (lambda found: True) if sign == "." else lambda found: found == sign

    def _took(self, sign: str) -> bool:
        if not self.rest.startswith(sign):
            return False
        self.rest = self.rest[1:]
        return True


def _of_class(inside: str) -> Callable[[str], bool]:
    negated = inside.startswith("^")
    signs, rest = set(), inside[negated:]
    while rest:
        if len(rest) > 2 and rest[1] == "-":
            signs |= {chr(number) for number in range(ord(rest[0]), ord(rest[2]) + 1)}
            rest = rest[3:]
        else:
            signs.add(rest[0])
            rest = rest[1:]
    return lambda found: (found in signs) != negated


def _character(is_one: Callable[[str], bool]) -> Step:
    return lambda text, places: frozenset(
        place + 1 for place in places if place < len(text) and is_one(text[place])
    )


def _one_after_another(steps: Iterable[Step]) -> Step:
    steps = tuple(steps)

    def follow(text: str, places: Places) -> Places:
        for step in steps:
            places = step(text, places)
        return places

    return follow


def _any_of(steps: Iterable[Step]) -> Step:
    steps = tuple(steps)
    return lambda text, places: frozenset().union(*(step(text, places) for step in steps))


def _maybe(step: Step) -> Step:
    return lambda text, places: places | step(text, places)


def _again(step: Step) -> Step:
    def follow(text: str, places: Places) -> Places:
        found = new = places
        while new:
            new = step(text, new) - found
            found |= new
        return found

    return follow
