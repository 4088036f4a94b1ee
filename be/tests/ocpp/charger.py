"""Chargers for tests, and a system that takes what they say: those of the kit that ships."""

from levity.ocpp.testing import NOW, CentralSystem, Charger, at, wire

__all__ = ["NOW", "CentralSystem", "Charger", "at", "wire"]
