"""How Django knows this app."""

from django.apps import AppConfig

__all__ = ["RunConfig"]


class RunConfig(AppConfig):
    """The app `run`: the commands that start, back up and restore a Levity; it has no tables."""

    name = "levity.run"
    label = "run"
    verbose_name = "Run"

    def ready(self) -> None:
        """Register the system checks."""
        from levity.run.web import production  # noqa: F401  (registers by being imported)
