"""Levity's settings for the workers of a soak run: traps in the chain, less patience."""

from levity.ocpp.conf import DEFAULT_OCPP_MIDDLEWARE
from levity.settings import *  # noqa: F403  # a settings module is made so

OCPP_MIDDLEWARE = ["levity_lab.soak.traps.Trap", *DEFAULT_OCPP_MIDDLEWARE]
# The chargers live sixty times as fast; and a Call that nobody answered must end within the run.
OCPP_CALL_TIMEOUT = 10
