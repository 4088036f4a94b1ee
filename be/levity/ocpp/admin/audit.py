"""Who did what here: the admin's own log, which every page of a row links as its history."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.http import HttpRequest

__all__ = ["note"]


def note(request: HttpRequest, rows: Iterable[Model], action_flag: int, message: str) -> None:
    """Write down that this person did this to these rows. No payloads: they may hold keys."""
    user: Any = request.user
    for row in rows:
        LogEntry.objects.log_actions(
            user_id=user.pk,
            queryset=[row],
            action_flag=action_flag,
            change_message=message,
            single_object=True,
        )
