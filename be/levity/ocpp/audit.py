"""Who did what here: the admin's own log, which every page of a row links as its history."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

__all__ = ["note", "note_all"]


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


def note_all(request: HttpRequest, rows: Iterable[Model], action_flag: int, message: str) -> None:
    """The same for many rows of one model, in one statement."""
    user: Any = request.user
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user.pk,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row)[:200],
            action_flag=action_flag,
            change_message=message,
        )
        for row in rows
    )
