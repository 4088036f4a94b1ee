"""How Django knows this app."""

from django.apps import AppConfig

__all__ = ["PagesConfig"]


class PagesConfig(AppConfig):
    """The app `pages`: templates, files and admin pages; it has no tables."""

    name = "levity.pages"
    label = "pages"
    verbose_name = "Pages"
