"""What of the security's own tables has done its duty: part of the housekeeping."""

from datetime import datetime

from levity.ocpp.models import AuthFailure, Command, RefusedHandshake
from levity.ocpp.worker import housekeeping_queries

__all__ = ["KEPT_OTHERS", "KEPT_WITH_IDENTITY", "tidy"]

KEPT_WITH_IDENTITY = 800
"""Refused handshakes that name an identity: somebody may want to adopt one of them."""
KEPT_OTHERS = 200
"""Those that name none: mostly scanners of the internet."""


def tidy(now: datetime) -> None:
    """Forget secrets of ended commands, guesses that no longer count, the oldest refusals."""
    if housekeeping_queries.any_ended_secret():
        open_states = (Command.State.QUEUED, Command.State.SENT)
        Command.objects.exclude(secret="").exclude(state__in=open_states).update(secret="")
    at = now.timestamp()
    if housekeeping_queries.any_forgotten_guess(at):
        AuthFailure.objects.filter(forgotten_at__lt=at, insistent_forgotten_at__lt=at).delete()
    for named, kept in ((True, KEPT_WITH_IDENTITY), (False, KEPT_OTHERS)):
        if old := housekeeping_queries.old_refusals(kept, named=named):
            RefusedHandshake.objects.filter(pk__in=old).delete()
