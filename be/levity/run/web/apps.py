"""Levity's own project: its admin site is the default one, and its login has two steps."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig

from levity.pages.apps import PagesConfig as AnyPagesConfig

__all__ = ["AdminConfig", "PagesConfig"]


class AdminConfig(DjangoAdminConfig):
    """Django's admin, with Levity's site for what apps register."""

    default_site = "levity.pages.site.the_site"


class PagesConfig(AnyPagesConfig):
    """Levity's pages, with a site that asks for the second step of a login."""

    site_class = "levity.accounts.site.LevityAdminSite"
