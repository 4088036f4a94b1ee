"""Keys and security profiles that are changed over OCPP, as rows; and the secrets of commands.

OCPP-J 1.6, 6.2.2: a charger may have taken a key although its answer was lost. So from the moment
the Call is sent both keys are good, until the answer, or the first use of the new one, decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.models import F, Q

from levity.db.rows import upsert_rows
from levity.ocpp.chargers.security.concealment import Unreadable, reveal, secrets_in
from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.effects import KeyAccepted, KeyRefused, ProfileAccepted
from levity.ocpp.models import Command, Credential
from levity.ocpp.store.values import Outcome, each
from levity.ocpp.wire.masking import MASK
from levity_ws.rpc.envelope import Received

__all__ = ["expect_keys", "forget_secrets", "write_key_changes"]


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


def write_key_changes(outcomes: Sequence[Outcome]) -> None:
    """The keys that chargers have taken or refused, and the profiles that they come with next."""
    answers = [item for item in outcomes if item.command is not None and item.effects]
    if not answers:
        return
    taken = {effect.command_id: item.arrival.at for item, _, effect in each(answers, KeyAccepted)}
    if taken:
        Credential.objects.filter(next_command__in=list(taken)).exclude(next_digest="").update(
            digest=F("next_digest"), next_digest="", next_command=None, set_at=max(taken.values())
        )
    refused = [effect.command_id for _, _, effect in each(answers, KeyRefused)]
    if refused:
        Credential.objects.filter(next_command__in=refused).update(
            next_digest="", next_command=None
        )
    levels = {owner.id: effect.profile for _, owner, effect in each(answers, ProfileAccepted)}
    upsert_rows(
        Credential,
        ("charge_point_id", "next_profile"),
        sorted(levels.items()),
        key=("charge_point_id",),
        update=("next_profile",),
    )


def forget_secrets(outcomes: Sequence[Outcome]) -> None:
    """Calls with a secret in them are answered: mask what the charger says back of it, before
    anything of that is written, and keep the secret no longer."""
    answers = {
        item.command.command_id: item
        for item in outcomes
        if item.command is not None and item.action in item.arrival.version.calls.carriers
    }
    if not answers:
        return
    secrets = Command.objects.filter(pk__in=answers).values_list("pk", "secret")
    for pk, secret in secrets:
        if secret:
            _mask_echo(answers[pk], secret)
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
