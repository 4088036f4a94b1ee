"""An authority as an operator makes it, and a charger of profile 2."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from levity.ocpp.decisions.authority import issuing
from levity.ocpp.models import CertificateAuthority, ChargePointCertificate
from tests.ocpp.decisions.authority.lines import Line, levity


@pytest.fixture
def key_file(settings: Any, tmp_path: Path) -> Path:
    settings.OCPP_CA_KEY_FILE = str(tmp_path / "authority.key")
    return tmp_path / "authority.key"


@pytest.fixture
def authority(db: None, key_file: Path) -> CertificateAuthority:
    """As an operator makes it."""
    levity("create", "--organization", "Housing Co-op")
    return CertificateAuthority.objects.get()


@pytest.fixture
def line(authority: CertificateAuthority) -> Line:
    return Line()


@pytest.fixture
def installed(line: Line) -> ChargePointCertificate:
    line.is_asked()
    line.asks()
    issuing.sign_approved(timezone.now())
    line.gets()
    return ChargePointCertificate.objects.get()
