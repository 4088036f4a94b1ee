"""Chargers for tests, and a system that takes what they say: those of the kit that ships."""

from levity.ocpp.testing import NOW, CentralSystem, Charger, at, wire

__all__ = ["NOW", "Charger", "Site", "at", "wire"]

Site = CentralSystem
