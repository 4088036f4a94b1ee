"""A charger that asks the authority for certificates, and the command that makes one."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

from cryptography import x509
from django.core.management import call_command
from django.utils import timezone

from levity.ocpp.commands.lifecycle import dispatch
from levity.ocpp.decisions.authority import requests
from levity.ocpp.models import (
    ChargePoint,
    ChargePointCertificate,
    Command,
)
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import NOW, CentralSystem, Charger
from tests.ocpp.chargers.security.test_certificates import csr
from tests.ocpp.keyring import basic, charge_point

State = ChargePointCertificate.State


DAY = timedelta(days=1)


def levity(*arguments: str) -> str:
    out = StringIO()
    call_command("certificate_authority", *arguments, stdout=out)
    return out.getvalue()


class Line:
    """A charger of this profile, connected, whose Calls go out."""

    def __init__(self, profile: int = 2) -> None:
        self.row = charge_point(profile=profile)
        ChargePoint.objects.update(profile_since=NOW - DAY)
        self.site, self.charger = CentralSystem(), Charger()
        self.site.take(
            self.charger.asks(authorization=basic(), secure=True), self.charger.connects()
        )

    def asks(self, text: str | None = None) -> str:
        """SignCertificate; the status of the answer."""
        payload = {"csr": csr() if text is None else text}
        said: dict[str, str] = self.site.result(self.charger.calls("SignCertificate", payload))
        return said["status"]

    def sent(self) -> list[Any]:
        """The Calls that go out now."""
        frames: list[Any] = []

        def send(_: str, reply: Reply) -> bool:
            frames.extend(
                json.loads(item.text) for item in reply.commands if isinstance(item, Send)
            )
            return True

        dispatch(timezone.now(), send)
        return frames

    def is_asked(self) -> None:
        """We ask it for a request, and it agrees."""
        requests.request_certificate(self.row, None)
        Command.objects.update(not_before=NOW)
        (frame,) = self.sent()
        assert frame[2:] == [
            "ExtendedTriggerMessage",
            {"requestedMessage": "SignChargePointCertificate"},
        ]
        self.site.take(self.charger.answers(frame[1], {"status": "Accepted"}))
        Command.objects.update(sent_at=NOW)

    def gets(self, word: str = "Accepted") -> x509.Certificate:
        """The certificate that it is sent, and answers so."""
        (frame,) = self.sent()
        assert frame[2] == "CertificateSigned"
        self.site.take(self.charger.answers(frame[1], {"status": word}))
        return x509.load_pem_x509_certificate(frame[3]["certificateChain"].encode())


def states() -> list[str]:
    return list(ChargePointCertificate.objects.order_by("pk").values_list("state", flat=True))
