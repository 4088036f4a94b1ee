"""How Django knows this app."""

from django.apps import AppConfig

__all__ = ["LabConfig"]


class LabConfig(AppConfig):
    """The app `lab`: the commands `bench`, `soak`, `year` and `oracle`; it has no tables."""

    name = "levity_lab"
    label = "lab"
    verbose_name = "Laboratory"
