"""The only place where OCPP meets the database: `load` what a batch needs, `apply` what it did.

Both work in bulk: the number of SQL statements does not grow with the number of frames.
"""

from levity.db.plans import lost_its_plan, plan_once
from levity.db.round_trips import in_few_trips
from levity.ocpp.store.apply import apply
from levity.ocpp.store.load import load
from levity.ocpp.store.loaded import Loaded
from levity.ocpp.store.presence import claims, connections_lost, is_overtaken
from levity.ocpp.store.refusals import list_refusals
from levity.ocpp.store.values import (
    Arrival,
    CommandAnswer,
    Outcome,
    StoredMessage,
    start_key,
)

__all__ = [
    "Arrival",
    "CommandAnswer",
    "Loaded",
    "Outcome",
    "StoredMessage",
    "apply",
    "claims",
    "connections_lost",
    "in_few_trips",
    "is_overtaken",
    "list_refusals",
    "load",
    "lost_its_plan",
    "plan_once",
    "start_key",
]
