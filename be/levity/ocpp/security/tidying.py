"""What of the security's own tables has done its duty: part of the housekeeping."""

from datetime import datetime

from levity.ocpp.models import AuthFailure, Command, RefusedHandshake

__all__ = ["KEPT_OTHERS", "KEPT_WITH_IDENTITY", "tidy"]

KEPT_WITH_IDENTITY = 800
"""Refused handshakes that name an identity: somebody may want to adopt one of them."""
KEPT_OTHERS = 200
"""Those that name none: mostly scanners of the internet."""
AT_ONCE = 2000


def tidy(now: datetime) -> None:
    """Forget secrets of ended commands, guesses that no longer count, the oldest refusals."""
    open_states = (Command.State.QUEUED, Command.State.SENT)
    ended = Command.objects.exclude(secret="").exclude(state__in=open_states)
    if ended.exists():
        ended.update(secret="")
    at = now.timestamp()
    AuthFailure.objects.filter(forgotten_at__lt=at, insistent_forgotten_at__lt=at).delete()
    newest_first = RefusedHandshake.objects.order_by("-last_at", "-pk")
    for rows, kept in (
        (newest_first.exclude(identity=""), KEPT_WITH_IDENTITY),
        (newest_first.filter(identity=""), KEPT_OTHERS),
    ):
        if too_old := list(rows.values_list("pk", flat=True)[kept : kept + AT_ONCE]):
            RefusedHandshake.objects.filter(pk__in=too_old).delete()
