"""The pages of alerts and alert rules, if Levity's pages are installed."""

from django.apps import apps

if apps.is_installed("levity.pages"):
    from levity.monitoring.admin import alerts, rules

    __all__ = ["alerts", "rules"]
