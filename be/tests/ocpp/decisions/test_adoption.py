"""A charger that was refused is let in with the key and the profile that a person chooses."""

from typing import Any

import pytest

from levity.ocpp.chargers.security.keys import digest_of, matches
from levity.ocpp.decisions.adoption import KEEP, NEW, NONE, PRESENTED, CannotAdopt, adopt
from levity.ocpp.models import AuditEntry, ChargePoint, Credential, RefusedHandshake, Site
from tests.ocpp.decisions.people import audit_of, chief

pytestmark = pytest.mark.django_db

KEY = b"0123456789abcdef0123"


def refused(**values: Any) -> RefusedHandshake:
    """A handshake that was refused."""
    given = {"identity": "NEW1", "address": "192.0.2.1", "reason": "unknown", "status": 404}
    return RefusedHandshake.objects.create(**{**given, **values})


def test_an_unknown_identity_becomes_a_charge_point_with_a_new_key() -> None:
    item, site = refused(), Site.objects.create(name="mine")
    adopted = adopt(item, 1, NEW, chief(), name="garage", site=site)
    row = ChargePoint.objects.get()
    assert (adopted.charge_point, adopted.is_new) == (row, True)
    assert (row.identity, row.name, row.site, row.security_profile) == ("NEW1", "garage", site, 1)
    digest = Credential.objects.get(charge_point=row).digest
    assert matches(adopted.key.encode(), digest)
    assert not RefusedHandshake.objects.exists()
    assert audit_of(row) == [("chief", "adopted from 192.0.2.1 with security profile 1")]
    assert adopted.key not in str(list(AuditEntry.objects.values_list()))


def test_a_known_one_gets_the_key_that_it_presented() -> None:
    row = ChargePoint.objects.create(identity="new1", security_profile=1)
    item = refused(reason="key", key_digest=digest_of(KEY), key_length=len(KEY))
    adopted = adopt(item, 2, PRESENTED, None)
    assert (adopted.charge_point, adopted.key, adopted.is_new) == (row, "", False)
    row.refresh_from_db()
    assert row.security_profile == 2
    assert matches(KEY, Credential.objects.get(charge_point=row).digest)


@pytest.mark.parametrize(
    ("profile", "key", "why"),
    [
        (1, NONE, "this profile requires a key"),
        (0, PRESENTED, "shorter than 16 bytes"),
        (1, KEEP, "no key is set here"),
        (0, "mine", "there is no choice of a key called 'mine'"),
    ],
)
def test_what_does_not_fit_together_changes_nothing(profile: int, key: str, why: str) -> None:
    item = refused(key_digest=digest_of(b"short"), key_length=5)
    with pytest.raises(CannotAdopt, match=why):
        adopt(item, profile, key, None)
    assert not ChargePoint.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_profile_is_not_lowered_by_adopting() -> None:
    ChargePoint.objects.create(identity="NEW1", security_profile=2)
    with pytest.raises(CannotAdopt, match="its profile is 2"):
        adopt(refused(), 0, NONE, None)


def test_what_is_no_charger_is_not_adopted() -> None:
    with pytest.raises(CannotAdopt, match="this can't be adopted"):
        adopt(refused(identity="", reason="not-found"), 0, NONE, None)
