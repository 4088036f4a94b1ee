"""Sums of the past, which hardly change: kept in this process for a while, by sites."""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from levity.ocpp.visibility import is_limited

__all__ = ["forget", "keep", "kept", "known", "scope_of"]

MOST = 200
"""So many sums are kept at most."""

Sum = TypeVar("Sum")

_sums: dict[tuple[Any, ...], tuple[float, Any]] = {}


def kept(key: tuple[Any, ...], seconds: float, make: Callable[[], Sum]) -> Sum:
    """What `make` comes to, or came to within these seconds."""
    found: Sum | None = known(key)
    return keep(key, seconds, make()) if found is None else found


def known(key: tuple[Any, ...]) -> Any:
    """What is kept under this key; None: nothing, or not any more."""
    good_until, found = _sums.get(key, (0.0, None))
    return found if monotonic() < good_until else None


def keep(key: tuple[Any, ...], seconds: float, found: Sum) -> Sum:
    """Know this for so many seconds."""
    if len(_sums) >= MOST:
        _sums.clear()
    _sums[key] = monotonic() + seconds, found
    return found


def scope_of(user: Any) -> tuple[int, ...] | None:
    """The sites that this person sees; None: all."""
    if not is_limited(user):
        return None
    return tuple(user.account.sites.order_by("pk").values_list("pk", flat=True))


def forget() -> None:
    """Add everything up anew."""
    _sums.clear()
