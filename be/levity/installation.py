"""What belongs to the installation as a whole, with defaults for a project that sets none of it.

`levity.settings` sets everything; another Django project need not (docs/extending.md).
"""

import os
from contextlib import suppress
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from levity import environment

__all__ = ["amqp_url", "data_dir", "is_levitys_own", "needs", "ws_port"]


def is_levitys_own() -> bool:
    """True with `levity.settings`: database, login and pages are Levity's to look after.

    Another project migrates, makes its users and names its hosts by itself.
    """
    return bool(getattr(settings, "LEVITY_OWN_PROJECT", False))


def data_dir() -> Path:
    """LEVITY_DATA_DIR, a setting or a variable of the environment: keys and notes of backups.

    Without it, `levity-data` in the project's BASE_DIR, if it has one.
    """
    given = getattr(settings, "LEVITY_DATA_DIR", None)
    if given is None:
        base = getattr(settings, "BASE_DIR", None)
        given = (
            environment.data_dir(os.environ)
            if base is None or os.environ.get("LEVITY_DATA_DIR")
            else Path(base) / "levity-data"
        )
    folder = Path(given)
    if not folder.is_dir():
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def amqp_url() -> str:
    """The setting AMQP_URL, else the variable of that name; empty: no broker was chosen."""
    given = getattr(settings, "AMQP_URL", None)
    return environment.secret(os.environ, "AMQP_URL") if given is None else str(given)


def ws_port() -> int:
    """The port at which chargers connect: LEVITY_WS_PORT, else the variable WS_PORT, else 9000."""
    given: int | None = getattr(settings, "LEVITY_WS_PORT", None)
    return environment.number(os.environ, "WS_PORT", default=9000) if given is None else given


def needs(who: str, *names: str) -> None:
    """ImproperlyConfigured, with the line to add, if one of these apps is not installed.

    For apps whose models can't be imported without the others: no system check runs before that.
    """
    for name in names:
        if not apps.is_installed(name):
            raise ImproperlyConfigured(
                f'{who} needs {name}. Add to the settings: INSTALLED_APPS += ["{name}"]'
            )
