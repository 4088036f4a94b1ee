"""Requests for handlers and middleware, without a database: those of the kit that ships."""

from levity.ocpp.testing import CONNECTION, charge_point, connector, request, running

__all__ = ["CONNECTION", "charge_point", "connector", "request", "running"]
