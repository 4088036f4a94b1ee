"""What is decided for the installation as a whole: its clock and language, and that the first steps
are done."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from levity import chosen
from levity.installation import data_dir
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.decisions.charge_point_values import time_zone as checked_zone
from levity.ocpp.models import Installation

__all__ = ["choose", "end_first_run"]


def choose(time_zone: str, language: str, who: Who) -> None:
    """The server's time zone and language, from now on; an empty text leaves one as it is.

    This process has them at once, others when they start. Raises `ValidationError` for values that
    do not fit, and `NotPossible` where they can't be kept.
    """
    if who is not None and not who.is_superuser:
        raise NotAllowed("only a superuser may choose the time zone and the language")
    values = {"time_zone": checked_zone(time_zone), "language": language}
    if language and language not in dict(chosen.LANGUAGES):
        raise ValidationError({"language": "Levity does not speak this language."})
    values = {name: value for name, value in values.items() if value}
    try:
        chosen.keep(data_dir(), values)
    except OSError as error:
        raise NotPossible(
            f"{data_dir() / chosen.FILE} can't be written ({error.strerror}): set TIME_ZONE and "
            "LEVITY_LANGUAGE instead"
        ) from error
    before = {"time_zone": settings.TIME_ZONE, "language": settings.LANGUAGE_CODE}
    settings.TIME_ZONE = values.get("time_zone", settings.TIME_ZONE)
    settings.LANGUAGE_CODE = values.get("language", settings.LANGUAGE_CODE)
    forget_zone: Any = timezone.get_default_timezone
    forget_zone.cache_clear()
    note(who, [Installation.get()], "chose time zone and language", before, values)


def end_first_run(who: Who) -> None:
    """The first steps are done, or not wanted: the overview does not lead to them any more."""
    if who is not None and not who.is_superuser:
        raise NotAllowed("only a superuser may end the first steps")
    with transaction.atomic():
        row = Installation.get()
        row.first_run_at = timezone.now()
        row.save(update_fields=["first_run_at"])
        note(who, [row], "ended the first steps")
