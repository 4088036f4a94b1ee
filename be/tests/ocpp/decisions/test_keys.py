"""Keys are told once, kept as a digest, and never in the audit."""

import pytest

from levity.ocpp.chargers.security.keys import matches
from levity.ocpp.decisions import keys, security_profiles
from levity.ocpp.models import AuditEntry, AuthFailure, ChargePoint, Command, Credential
from tests.ocpp.decisions.people import audit_of, chief

pytestmark = pytest.mark.django_db

KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def row() -> ChargePoint:
    """A charge point without a key."""
    return ChargePoint.objects.create(identity="CP1")


def no_secret(*secrets: str) -> None:
    """No entry has any of these."""
    for entry in AuditEntry.objects.values_list():
        assert not any(secret in str(entry) for secret in secrets if secret)


def test_a_new_key_is_told_once_and_opens(row: ChargePoint) -> None:
    AuthFailure.objects.create(identity="cp1", address="x", counted_at=0, forgotten_at=2e9)
    key = keys.new_key(row, chief())
    credential = Credential.objects.get(charge_point=row)
    assert matches(key.encode(), credential.digest)
    assert not keys.is_locked(row)
    assert audit_of(row) == [("chief", "security: new key generated")]
    no_secret(key, credential.digest)


def test_a_key_is_set_and_a_short_one_only_on_purpose(row: ChargePoint) -> None:
    with pytest.raises(keys.CannotChangeKey, match="shorter than 16 bytes"):
        keys.set_key(row, "short", None)
    assert audit_of(row) == []
    keys.set_key(row, "short", None, allow_short=True)
    keys.set_key(row, KEY, None)
    credential = Credential.objects.get(charge_point=row)
    assert matches(KEY.encode(), credential.digest)
    assert credential.allow_short is False
    assert audit_of(row) == [("", "security: key set, may be short"), ("", "security: key set")]
    no_secret(KEY, credential.digest)


def test_a_key_is_removed_where_the_profile_needs_none(row: ChargePoint) -> None:
    with pytest.raises(keys.CannotChangeKey, match="no key is set"):
        keys.remove_key(row, None)
    keys.new_key(row, None)
    security_profiles.set_profile(row, 1, None)
    with pytest.raises(keys.CannotChangeKey, match="which needs a key"):
        keys.remove_key(row, None)
    security_profiles.set_profile(row, 0, None, lower=True)
    keys.remove_key(row, None)
    assert not keys.has_key(row)
    assert audit_of(row)[-1] == ("", "security: key removed")


def test_a_key_that_is_sent_over_ocpp_is_nowhere_in_clear(row: ChargePoint) -> None:
    key = keys.rotate_key(row, chief())
    command = Command.objects.get()
    assert command.action == "ChangeConfiguration"
    assert key not in str(command.payload)
    assert audit_of(row) == [("chief", "security: new key sent over OCPP")]
    no_secret(key)


def test_a_lower_profile_needs_a_word_and_a_higher_one_a_key(row: ChargePoint) -> None:
    who = chief()
    with pytest.raises(security_profiles.CannotChangeProfile, match="no key is set"):
        security_profiles.set_profile(row, 2, who)
    keys.new_key(row, None)
    security_profiles.set_profile(row, 2, who)
    with pytest.raises(security_profiles.CannotChangeProfile, match="is lower than"):
        security_profiles.set_profile(row, 1, who)
    entry = AuditEntry.objects.order_by("-pk")[0]
    assert (entry.before, entry.after) == ({"security_profile": 0}, {"security_profile": 2})
    row.refresh_from_db()
    assert row.security_profile == 2
    with pytest.raises(security_profiles.CannotChangeProfile, match="it is already 2"):
        security_profiles.raise_profile(row, 2, who)
