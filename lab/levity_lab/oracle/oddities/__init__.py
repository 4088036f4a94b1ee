"""Everything that may be odd about a session, by name."""

from levity_lab.oracle.oddities import clocks, ids, line, meters, readings, restores, units
from levity_lab.oracle.oddities.registry import ODDITIES, Oddity

__all__ = ["ODDITIES", "Oddity"]

_MODULES = (clocks, ids, line, meters, readings, restores, units)
"""Each registers its own."""
