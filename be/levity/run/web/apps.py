"""Which admin site there is."""

from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig

__all__ = ["AdminConfig"]


class AdminConfig(DjangoAdminConfig):
    """Django's admin, with a site that asks for the second step of a login."""

    default_site = "levity.accounts.site.LevityAdminSite"
