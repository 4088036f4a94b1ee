"""How Django knows this app."""

from django.apps import AppConfig

__all__ = ["RunConfig"]


class RunConfig(AppConfig):
    """The app `levity_run`: the commands that start, back up and restore Levity; no tables."""

    name = "levity.run"
    label = "levity_run"
    verbose_name = "Run"

    levity_demo_retired = "levity.run.demo_end.take_out"

    def ready(self) -> None:
        """Register the system checks."""
        from levity.run import checks  # noqa: F401  (registers by being imported)
