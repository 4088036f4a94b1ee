"""The pages of webhooks, deliveries, events and MQTT, if Levity's pages are installed."""

from django.apps import apps

if apps.is_installed("levity.pages"):
    from levity.integrations.admin import deliveries, events, webhooks

    __all__ = ["deliveries", "events", "webhooks"]
