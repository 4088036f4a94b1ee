"""Where a page was asked for, which tells how chargers may reach this Levity."""

from django.http import HttpRequest

from levity.files.jobs import Asking

__all__ = ["asked_by"]


def asked_by(request: HttpRequest, base: str = "") -> Asking:
    """By this browser; `base` is the address that was chosen."""
    return Asking(request.get_host(), request.is_secure(), base=base)
