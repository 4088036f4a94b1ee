"""The second step of a login, where Levity's accounts are installed. Another Django project has a
login of its own: whoever it lets in has done all that it asks.
"""

from functools import cache
from typing import Any, Protocol

from django.apps import apps

__all__ = ["has_accounts", "second_step"]


class SecondStep(Protocol):
    """What the API asks of `levity.accounts.second_step`."""

    def is_on(self, user: Any) -> bool:
        """True if this user has set up a second step."""

    def missing_step(self, user: Any) -> str:
        """The page on which this user's login continues; empty: the login is complete."""

    def check_code(self, user: Any, code: str) -> object:
        """Something true if the code is this user's; it is used up."""


class NoSecondStep:
    """Of a project without Levity's accounts."""

    def is_on(self, user: Any) -> bool:
        """Nobody has one."""
        return False

    def missing_step(self, user: Any) -> str:
        """The login is complete."""
        return ""

    def check_code(self, user: Any, code: str) -> object:
        """There is no code."""
        return None


def has_accounts() -> bool:
    """True if `levity.accounts` is installed."""
    return apps.is_installed("levity.accounts")


@cache
def second_step() -> SecondStep:
    """That of Levity's accounts, or none."""
    if not has_accounts():
        return NoSecondStep()
    from levity.accounts import second_step as of_accounts

    return of_accounts
