"""The simulator can play a charger with a key."""

from pathlib import Path
from typing import Any

import pytest

from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.models import ChargePoint, Credential, Transaction
from tests.ocpp.keyring import KEY
from tests.system.site import embedded

pytestmark = pytest.mark.slow


def test_a_simulated_charger_with_its_key_charges(tmp_path: Path, django_db_blocker: Any) -> None:
    """And one with another key is told that it is refused."""
    with embedded(tmp_path, django_db_blocker) as site:
        with site.books.open(ChargePoint) as rows:
            row = rows.create(identity="SIM-0001", security_profile=1)
        with site.books.open(Credential) as rows:
            rows.create(charge_point_id=row.pk, digest=digest_of(KEY.encode()))
        run = ("simulate", "--url", site.url(), "--once", "--speed", "100", "--json")
        wrong = site.levity(*run, "--key", "not the key of this charger")
        assert wrong.returncode == 1, wrong.stdout
        assert site.books.count(Transaction) == 0
        right = site.levity(*run, "--key", KEY)
        assert right.returncode == 0, right.stderr
        assert site.books.count(Transaction, state="stopped") == 1
