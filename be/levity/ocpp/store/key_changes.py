"""Keys and security profiles that are changed over OCPP: what the charger's answer decides.

OCPP-J 1.6, 6.2.2: a charger may have taken a key although its answer was lost. So from the moment
the Call is sent both keys are good, until the answer, or the first use of the new one, decides.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import F, Q

from levity.ocpp.models import Command, Credential
from levity.ocpp.security.guards import is_key_change, profile_in
from levity.ocpp.security.keys import digest_of
from levity.ocpp.store.rows import upsert_rows
from levity.ocpp.store.values import Outcome

__all__ = ["expect_keys", "settle_key_changes"]

ACTION = "ChangeConfiguration"
# Half an answer (Grizzl-E 5.x): nobody knows what it would have said.
UNREADABLE = "Unparsable"
# OCPP 1.6, 7.21: the key counts once it has restarted; until then it comes with the old one.
LATER = "RebootRequired"


def expect_keys(sent: Sequence[tuple[int, int, Mapping[str, Any]]]) -> None:
    """These keys are on their way: (charge point id, command id, payload of the Call).

    The charger may come with such a key from now on.
    """
    upsert_rows(
        Credential,
        ("charge_point_id", "next_digest", "next_command_id"),
        [
            (charge_point_id, digest_of(str(payload.get("value", "")).encode()), command_id)
            for charge_point_id, command_id, payload in sent
        ],
        key=("charge_point_id",),
        update=("next_digest", "next_command_id"),
    )


def settle_key_changes(outcomes: Sequence[Outcome]) -> None:
    """What the answers to ChangeConfiguration mean for keys and profiles."""
    answers = {
        item.command.command_id: (item.command, item.arrival.at)
        for item in outcomes
        if item.command is not None and item.action == ACTION
    }
    if not answers:
        return
    taken, refused, levels = [], [], {}
    rows = Command.objects.filter(pk__in=answers).values_list("pk", "charge_point_id", "payload")
    for pk, charge_point_id, payload in rows:
        answer, _ = answers[pk]
        accepted = answer.result_status in ("Accepted", LATER)
        level = profile_in(ACTION, payload)
        if level is not None and accepted and 0 < level <= 3:
            levels[charge_point_id] = level
        elif is_key_change(ACTION, payload) and answer.result_status == "Accepted":
            taken.append(pk)
        elif is_key_change(ACTION, payload) and not accepted and answer.error_code != UNREADABLE:
            refused.append(pk)
    if taken:
        at = max(answers[pk][1] for pk in taken)
        Credential.objects.filter(next_command__in=taken).exclude(next_digest="").update(
            digest=F("next_digest"), next_digest="", next_command=None, set_at=at
        )
    if refused:
        Credential.objects.filter(next_command__in=refused).update(
            next_digest="", next_command=None
        )
    upsert_rows(
        Credential,
        ("charge_point_id", "next_profile"),
        sorted(levels.items()),
        key=("charge_point_id",),
        update=("next_profile",),
    )
    Command.objects.filter(~Q(secret=""), pk__in=answers).update(secret="")
