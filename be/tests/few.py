"""Of many cases of a kind, the few in which different faults show: `make test` plays these.

The others are marked `exhaustive`: `make test-all` plays them, too, every night.
"""

from collections.abc import Callable, Collection
from typing import Any

import pytest

__all__ = ["few"]


def few(
    cases: Collection[Any], *chosen: Any, name: Callable[[Any], Any] = lambda case: case
) -> list[Any]:
    """All cases, for `parametrize`; those whose name is not one of `chosen` are left to the night.

    Raises ValueError where no case has a name that is chosen.
    """
    if missing := set(chosen).difference(map(name, cases)):
        raise ValueError(f"no such case: {missing}")
    return [
        case if name(case) in chosen else pytest.param(case, marks=pytest.mark.exhaustive)
        for case in cases
    ]
