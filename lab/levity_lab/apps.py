"""How Django knows this app."""

from django.apps import AppConfig

__all__ = ["LabConfig"]


class LabConfig(AppConfig):
    """The app `lab`: the commands `bench` and `soak`; it has no tables."""

    name = "levity_lab"
    label = "lab"
    verbose_name = "Laboratory"
