"""The pages of alerts and of who is told of them, where there are Levity's pages."""

from django.apps import apps

if apps.is_installed("levity.pages"):
    from levity.monitoring.admin import alerts, rules

    __all__ = ["alerts", "rules"]
