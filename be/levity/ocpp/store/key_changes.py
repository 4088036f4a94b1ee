"""Keys and security profiles that are changed over OCPP: what the charger's answer decides.

OCPP-J 1.6, 6.2.2: a charger may have taken a key although its answer was lost. So from the moment
the Call is sent both keys are good, until the answer, or the first use of the new one, decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import F, Q

from levity.db.rows import upsert_rows
from levity.ocpp.chargers.security.concealment import CARRIERS, Unreadable, reveal, secrets_in
from levity.ocpp.chargers.security.guards import is_key_change, profile_in
from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import Command, Credential
from levity.ocpp.store.values import Outcome
from levity.ocpp.wire.masking import MASK
from levity_ws.rpc.envelope import Received

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
    """What the answers to Calls with a secret in them mean: for keys, profiles, and the secret."""
    answers = {
        item.command.command_id: item
        for item in outcomes
        if item.command is not None and item.action in CARRIERS
    }
    if not answers:
        return
    taken, refused, levels = [], [], {}
    rows = Command.objects.filter(pk__in=answers)
    for pk, charge_point_id, payload, secret in rows.values_list(
        "pk", "charge_point_id", "payload", "secret"
    ):
        item = answers[pk]
        if secret:
            _mask_echo(item, secret)
        answer = item.command
        assert answer is not None
        if item.action != ACTION:
            continue
        accepted = answer.result_status in ("Accepted", LATER)
        level = profile_in(ACTION, payload)
        if level is not None and accepted and 0 < level <= 3:
            levels[charge_point_id] = level
        elif is_key_change(ACTION, payload) and answer.result_status == "Accepted":
            taken.append(pk)
        elif is_key_change(ACTION, payload) and not accepted and answer.error_code != UNREADABLE:
            refused.append(pk)
    if taken:
        at = max(answers[pk].arrival.at for pk in taken)
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


def _mask_echo(item: Outcome, secret: str) -> None:
    """Mask what the charger says back of a secret, before anything of it is written.

    It may stand anywhere: in the description of a CALLERROR, or in its details.
    """
    event, answer = item.arrival.event, item.command
    assert isinstance(event, Received)
    assert answer is not None
    try:
        values = secrets_in(reveal(secret))
    except Unreadable:
        return
    told = [value for value in values if value in event.text]
    if not told:
        return
    text, result, description = event.text, answer.result, answer.error_description
    for value in told:
        text = text.replace(value, MASK)
        result = result.replace(value, MASK) if result else result
        description = description.replace(value, MASK)
    item.arrival = replace(item.arrival, event=replace(event, text=text))
    item.command = replace(answer, result=result, error_description=description)
