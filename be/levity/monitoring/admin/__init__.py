"""The pages of alerts and of who is told of them."""

from levity.monitoring.admin import alerts, rules

__all__ = ["alerts", "rules"]
