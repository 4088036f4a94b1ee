"""No one decides about a charger that he does not see, whatever calls (issue 14, 3)."""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone

from levity.ocpp.commands import sending
from levity.ocpp.deciding import NotAllowed, check
from levity.ocpp.decisions import (
    adoption,
    charge_points,
    corrections,
    ending,
    id_tags,
    keys,
    onboarding,
    quarantine,
    registration,
    replacing,
    retiring,
    security_profiles,
    together,
    unassigned,
)
from levity.ocpp.decisions.authority import authorities, requests
from levity.ocpp.decisions.corrections import Change
from levity.ocpp.models import (
    AuditEntry,
    AuthFailure,
    ChargePoint,
    ChargePointCertificate,
    Command,
    Credential,
    FailedMessage,
    IdTag,
    MeterValueCorrection,
    QuarantinedMessage,
    RefusedHandshake,
    Site,
    Transaction,
)
from levity.ocpp.worker.pipeline import Pipeline
from levity.ocpp.worker.replay import take_again
from tests.ocpp.decisions.people import limited_to, stranger_at

NOW = timezone.now()
KEY = "0123456789abcdef0123456789abcdef01234567"
RESET = ("Reset", {"type": "Soft"})
STRETCH = (NOW, Decimal(0), NOW, Decimal(1000))


class Theirs:
    """A charge point of another site, and one of everything that belongs to it."""

    def __init__(self) -> None:
        self.row = stranger_at(registration="Pending", learned_silence=60)
        at = {"charge_point": self.row, "received_at": NOW}
        self.session = Transaction.objects.create(
            charge_point=self.row, connector=1, started_at=NOW, meter_start=0
        )
        self.message = QuarantinedMessage.objects.create(
            **at, action="StopTransaction", unique_id="1", payload="{}", reason="odd"
        )
        self.failed = FailedMessage.objects.create(
            charge_point=self.row,
            identity=self.row.identity,
            received_at=NOW,
            connection=uuid.uuid4(),
            seq=1,
            text="[]",
        )
        self.certificate = ChargePointCertificate.objects.create(
            charge_point=self.row, identity=self.row.identity, state="waiting"
        )
        self.command = Command.objects.create(charge_point=self.row, action="Reset")
        self.refused = RefusedHandshake.objects.create(
            identity=self.row.identity, address="192.0.2.1", reason="no-key", status=401
        )
        self.tag = IdTag.objects.create(id_tag="CARD")
        self.tag.charge_points.add(self.row)
        self.run = uuid.uuid4()
        MeterValueCorrection.objects.create(
            run=self.run,
            transaction=self.session,
            field="energy",
            old_value=1,
            new_value=2,
            corrected_at=NOW,
        )
        Credential.objects.create(charge_point=self.row)

    @property
    def change(self) -> Change:
        """A correction of the session."""
        return Change("THEIRS", 1, self.session.pk, None, NOW, "energy", None, 1, "jump")

    def rows(self) -> Any:
        """The charge point, as a queryset."""
        return ChargePoint.objects.filter(pk=self.row.pk)


def all_of(row: Model) -> Any:
    return type(row)._default_manager.filter(pk=row.pk)


DECISIONS: dict[str, Callable[[Theirs, User], Any]] = {
    "new key": lambda it, who: keys.new_key(it.row, who),
    "set key": lambda it, who: keys.set_key(it.row, KEY, who),
    "remove key": lambda it, who: keys.remove_key(it.row, who),
    "rotate key": lambda it, who: keys.rotate_key(it.row, who),
    "unlock": lambda it, who: keys.unlock(it.row, who),
    "set profile": lambda it, who: security_profiles.set_profile(it.row, 3, who),
    "raise profile": lambda it, who: security_profiles.raise_profile(it.row, 3, who),
    "adopt": lambda it, who: adoption.adopt(it.refused, 0, adoption.NONE, who),
    "accept": lambda it, who: registration.accept(it.rows(), who),
    "reject": lambda it, who: registration.reject(it.rows(), who),
    "retire": lambda it, who: retiring.retire(it.rows(), who, NOW),
    "bring back": lambda it, who: retiring.bring_back(it.rows(), who),
    "end session": lambda it, who: ending.end_session(it.session, who),
    "give energy": lambda it, who: unassigned.give(it.row, (0, 1), STRETCH, None, who, "why"),
    "take energy back": lambda it, who: unassigned.take_back(it.session, who),
    "approve tag": lambda it, who: id_tags.approve(all_of(it.tag), who),
    "block tag": lambda it, who: id_tags.block(all_of(it.tag), who),
    "unblock tag": lambda it, who: id_tags.unblock(all_of(it.tag), who),
    "delete tag": lambda it, who: id_tags.delete_tags(all_of(it.tag), who),
    "add tag": lambda it, who: id_tags.add_tag(IdTag(id_tag="NEW"), [], who),
    "change tag": lambda it, who: id_tags.change_tag(it.tag, {"owner": "mine"}, who),
    "import tags": lambda it, who: id_tags.import_tags(b"id_tag\nX\n", who),
    "attach": lambda it, who: quarantine.attach(it.message, it.session, who),
    "make": lambda it, who: quarantine.make_transaction(it.message, who),
    "discard": lambda it, who: quarantine.discard(it.message, who, "why"),
    "resolution": lambda it, who: quarantine.note_resolution(it.message, "done", who),
    "undo": lambda it, who: quarantine.undo(it.message, who),
    "take again": lambda it, who: take_again(it.failed, Pipeline(), who),
    "correct": lambda it, who: corrections.correct([it.change], uuid.uuid4(), who),
    "undo correction": lambda it, who: corrections.undo(it.run, who),
    "approve certificate": lambda it, who: requests.approve(it.certificate, who),
    "decline certificate": lambda it, who: requests.decline(it.certificate, who),
    "revoke": lambda it, who: requests.revoke(it.certificate, "unspecified", who),
    "send certificate": lambda it, who: requests.send_again(it.certificate, who),
    "ask for one": lambda it, who: requests.request_certificate(it.row, who),
    "authority": lambda it, who: authorities.create_authority("Co-op", 10, NOW, who),
    "send": lambda it, who: sending.send(it.row, *RESET, who, source="test"),
    "send to many": lambda it, who: sending.send_to_many(it.rows(), *RESET, who, source="test"),
    "cancel": lambda it, who: sending.cancel_commands(all_of(it.command), who),
    "change": lambda it, who: charge_points.change(it.row, {"name": "mine"}, who),
    "add": lambda it, who: charge_points.add(ChargePoint(identity="NEW"), who),
    "delete": lambda it, who: charge_points.delete_charge_point(it.row, who),
    "known tags only": lambda it, who: charge_points.known_tags_only(it.rows(), who),
    "forget line": lambda it, who: charge_points.forget_line(it.rows(), who),
    "add all": lambda it, who: charge_points.add_all([ChargePoint(identity="NEW")], who),
    "change all": lambda it, who: together.change_all(it.rows(), {"time_zone": "UTC"}, who),
    "replace": lambda it, who: replacing.replace(it.row, "NEW", who, NOW),
    "onboarding": lambda it, who: onboarding.close(who, closed=True),
}


def contents() -> list[Any]:
    """All that a decision may change."""
    models = (
        *(AuditEntry, AuthFailure, ChargePoint, ChargePointCertificate, Command, Credential),
        *(FailedMessage, IdTag, MeterValueCorrection, QuarantinedMessage, RefusedHandshake),
        Transaction,
    )
    return [list(model._default_manager.order_by("pk").values_list()) for model in models]


@pytest.mark.django_db
@pytest.mark.parametrize("name", DECISIONS)
def test_who_does_not_see_a_charger_decides_nothing_about_it(name: str) -> None:
    """He has every permission; the charger is another site's."""
    theirs = Theirs()
    mine = Site.objects.create(name="mine")
    ChargePoint.objects.create(identity="MINE", site=mine)
    who = limited_to(mine)
    before = contents()
    with pytest.raises(NotAllowed) as refused:
        DECISIONS[name](theirs, who)
    assert refused.value.sentence.endswith(".")
    assert contents() == before


@pytest.mark.django_db
@pytest.mark.parametrize("name", DECISIONS)
def test_who_has_no_permission_decides_nothing(name: str) -> None:
    """He sees every site, and may change nothing."""
    theirs = Theirs()
    who = User.objects.create_user("viewer", is_staff=True)
    before = contents()
    with pytest.raises(NotAllowed):
        DECISIONS[name](theirs, who)
    assert contents() == before


@pytest.mark.django_db
def test_some_of_many_are_not_done_where_one_is_of_another_site() -> None:
    """All or nothing: what a page can't show was not selected there."""
    theirs = Theirs()
    mine = Site.objects.create(name="mine")
    own = ChargePoint.objects.create(identity="MINE", site=mine, registration="Pending")
    who = limited_to(mine)
    with pytest.raises(NotAllowed, match="some of these charge points are not at your sites"):
        registration.accept(ChargePoint.objects.all(), who)
    assert registration.accept_waiting(who).count == 1
    own.refresh_from_db()
    theirs.row.refresh_from_db()
    assert (own.registration, theirs.row.registration) == ("Accepted", "Pending")


@pytest.mark.django_db
def test_a_site_that_one_does_not_see_can_not_be_chosen() -> None:
    """Else a charger could be given away, or taken."""
    theirs = Theirs()
    mine = Site.objects.create(name="mine")
    own = ChargePoint.objects.create(identity="MINE", site=mine)
    who = limited_to(mine)
    with pytest.raises(NotAllowed):
        charge_points.change(own, {"site": theirs.row.site}, who)
    check(own, who, "ocpp.change_chargepoint")


def test_every_decision_is_in_this_table() -> None:
    """A function of `decisions` or `sending` that takes `who` is tried here."""
    import inspect

    modules = (adoption, charge_points, corrections, onboarding, ending, id_tags, keys, quarantine)
    modules += (registration, retiring, security_profiles, authorities, requests, sending)
    modules += (replacing, together, unassigned)
    named = "\n".join(inspect.getsource(function) for function in DECISIONS.values())
    for module in modules:
        for name in module.__all__:
            found = getattr(module, name)
            if not inspect.isfunction(found) or "who" not in inspect.signature(found).parameters:
                continue
            if name in (
                "waiting",
                "accept_waiting",
                "may_add",
                "may_close",
                "check_deletion",
                "check_sending",
                "check_site",
            ):
                continue
            assert f".{name}(" in named, f"{module.__name__}.{name}"
