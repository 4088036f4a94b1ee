"""A failed message is taken again as what it was, wholly or not at all."""

from dataclasses import replace
from typing import Any

import pytest

from levity.ocpp.models import AuditEntry, ConnectionEvent, FailedMessage, Message
from levity.ocpp.request import GetResponse, Request, Response
from levity.ocpp.versions import V16, VERSIONS
from levity.ocpp.worker import replay
from levity.ocpp.worker.replay import take_again
from tests.ocpp.charger import CentralSystem, Charger

pytestmark = pytest.mark.django_db


class Fails:
    """A middleware with a bug, until it is fixed."""

    is_fixed = False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, once it is fixed."""
        if not self.is_fixed:
            raise ZeroDivisionError("a bug")
        return self.get_response(request)


@pytest.fixture
def site(settings: Any, monkeypatch: pytest.MonkeyPatch) -> CentralSystem:
    """Whatever comes fails, until `Fails` is fixed."""
    settings.OCPP_MIDDLEWARE = [f"{__name__}.Fails"]
    monkeypatch.setattr(Fails, "is_fixed", False)
    return CentralSystem()


def spoken(request: Request) -> Response:
    """What the frame is believed to speak."""
    return Response({"spoken": request.subprotocol})


def test_it_speaks_what_its_connection_had_negotiated_also_when_its_history_is_gone(
    site: CentralSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connection events are deleted after 90 days, and it was replayed as OCPP 1.6 then."""
    routes = {**V16.routes, "Heartbeat": spoken}
    monkeypatch.setitem(VERSIONS, "ocpp9", replace(V16, subprotocol="ocpp9", routes=routes))  # type: ignore[arg-type]
    charger = Charger()
    site.take(charger.connects(subprotocol="ocpp9"))
    site.take(replace(charger.calls("Heartbeat", {}), subprotocol="ocpp9"))
    failed = FailedMessage.objects.get()
    assert failed.subprotocol == "ocpp9"
    ConnectionEvent.objects.all().delete()
    monkeypatch.setattr(Fails, "is_fixed", True)
    assert take_again(failed, site.pipeline, None) == ""
    assert '"spoken":"ocpp9"' in Message.objects.latest("id").response


def test_what_it_records_and_that_it_is_replayed_are_one_transaction(
    site: CentralSystem, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    """Stopped in between, it was on the books and still open, and nobody had done it."""
    charger = Charger()
    site.connect(charger)
    site.take(charger.starts())
    before = Message.objects.count()

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Fails, "is_fixed", True)
    with monkeypatch.context() as patched:
        patched.setattr(replay, "note", stop)
        with pytest.raises(KeyboardInterrupt):
            take_again(FailedMessage.objects.get(), site.pipeline, None)
    failed = FailedMessage.objects.get()
    assert (Message.objects.count(), failed.replayed_at) == (before, None)
    assert not AuditEntry.objects.exists()
    assert take_again(failed, site.pipeline, None) == ""
    assert Message.objects.count() > before
    assert AuditEntry.objects.get().what == "replayed, recorded"


def test_one_that_fails_again_stays_with_its_newest_traceback(site: CentralSystem) -> None:
    charger = Charger()
    site.connect(charger)
    site.take(charger.starts())
    assert take_again(FailedMessage.objects.get(), site.pipeline, None) == (
        "ZeroDivisionError: a bug"
    )
    failed = FailedMessage.objects.get()
    assert (failed.attempts, failed.replayed_at) == (2, None)
