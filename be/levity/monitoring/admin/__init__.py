"""The pages of alerts and of who is told of them."""

from levity.operation.admin import alerts, rules

__all__ = ["alerts", "rules"]
