"""The event feed and webhooks, as a program uses them."""

from collections.abc import Callable
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Standard

from levity.api.tokens import create_token
from levity.integrations.models import Event, Reader, Webhook
from levity.integrations.outbox import recorder
from levity.ocpp import events
from levity.ocpp.events import Happened
from levity.ocpp.models import AuditEntry, Site
from tests.api.conftest import Caller, person
from tests.integrations.conftest import no_other_lane_holds_events_up
from tests.ocpp.charger import NOW

__all__ = ["no_other_lane_holds_events_up", "person"]

Make = Callable[..., Caller]
URL = "https://hook.example/levity?token=t0ken"


def happen(*identities: str, kind: str = "charger.booted", site: int | None = None) -> None:
    recorder.record([Happened(kind, NOW, 1, name, {"n": 1}, "TAG-1", site) for name in identities])


def told(answer: Any) -> list[str]:
    return [item["charge_point"] for item in answer["items"]]


def test_a_feed_begins_now_and_goes_on_behind_its_cursor(caller: Make) -> None:
    """The first request switches recording on."""
    happen("CP0")
    program = caller("read")
    first = program.get("events", type="charger.booted")
    assert (told(first), first["has_more"]) == ([], False)
    assert events.wanted() == {"charger.booted"}
    happen("CP1", "CP2", "CP3")
    page = program.get("events", after=first["next"], limit=2)
    assert (told(page), page["has_more"]) == (["CP1", "CP2"], True)
    page = program.get("events", after=page["next"], limit=2)
    assert (told(page), page["has_more"]) == (["CP3"], False)
    again = program.get("events", after=page["next"])
    assert (told(again), again["next"]) == ([], page["next"])
    happen("CP4")
    assert told(program.get("events", after=page["next"])) == ["CP4"]
    assert told(program.get("events", after="oldest"))[0] == "CP0"


def test_a_token_with_the_longest_name_reads_the_feed(db: None, person: Any) -> None:
    """Its reader was not found again, and written anew with every request."""
    _, token = create_token("t" * 100, "read", person("o" * 60, "Admin"))
    assert told(Caller(token).get("events")) == []
    assert len(Reader.objects.get().name) <= Reader._meta.get_field("name").max_length


def test_a_feed_is_filtered(caller: Make) -> None:
    garage = Site.objects.create(name="Garage")
    program = caller("read")
    happen("CP1", site=garage.pk)
    happen("CP2")
    happen("CP1", kind="charger.connected", site=garage.pk)
    get = program.get
    assert told(get("events", after="oldest", type="charger.connected")) == ["CP1"]
    assert told(get("events", after="oldest", charge_point="cp2")) == ["CP2"]
    assert told(get("events", after="oldest", site=garage.pk)) == ["CP1", "CP1"]
    assert get("events", after="oldest", site=garage.pk)["items"][0]["site"] == "Garage"


def test_a_token_of_one_site_sees_that_sites_events(caller: Make) -> None:
    garage, street = Site.objects.create(name="Garage"), Site.objects.create(name="Street")
    happen("CP1", site=garage.pk)
    happen("CP2", site=street.pk)
    happen("CP3")
    program = caller("read", sites=[garage])
    assert told(program.get("events", after="oldest")) == ["CP1"]


def test_tags_are_for_those_who_may_see_them(caller: Make) -> None:
    happen("CP1")
    [event] = caller("read").get("events", after="oldest")["items"]
    assert event["data"] == {"n": 1, "id_tag": "TAG-1"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"after": "nonsense"}, 422),
        ({"type": "session.began"}, 422),
        ({"wait": "30"}, 422),
        ({"limit": "0"}, 422),
        ({"charge_point": "\0"}, 400),
    ],
)
def test_what_the_feed_does_not_know_is_refused(
    caller: Make, query: dict[str, str], status: int
) -> None:
    assert caller("read")("GET", "events", query=query).status_code == status


def test_a_webhook_is_made_changed_and_deleted(caller: Make) -> None:
    program = caller("admin")
    answer = program("POST", "webhooks", {"name": "theirs", "url": URL, "types": ["tag.unknown"]})
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["secret"].startswith("whsec_")
    Standard(made["secret"])
    here = f"webhooks/{made['id']}"
    assert "secret" not in program.get(here)
    assert "t0ken" not in str(program.get(here))
    assert program.get("webhooks")["items"][0]["host"] == "hook.example"
    changed = program("PATCH", here, {"enabled": False})
    assert changed.status_code == 200
    row = Webhook.objects.get()
    assert (row.enabled, row.types, row.url) == (False, ["tag.unknown"], URL)
    rotated = program("POST", f"{here}/secret").json()
    assert rotated["secret"] != made["secret"]
    assert program("DELETE", here).status_code == 204
    assert not Webhook.objects.exists()
    whats = AuditEntry.objects.filter(kind="integrations.webhook").values_list("what", flat=True)
    assert set(whats) == {
        "webhook created",
        "webhook changed",
        "webhook secret replaced",
        "webhook deleted",
    }


def test_deliveries_are_listed_and_sent_again(caller: Make) -> None:
    program = caller("admin")
    made = program("POST", "webhooks", {"name": "theirs", "url": URL}).json()
    here = f"webhooks/{made['id']}"
    happen("CP1")
    Webhook.objects.update(position=Event.objects.get().pk)
    body = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    assert program("POST", f"{here}/replay", body).json() == {"count": 1}
    [delivery] = program.get(f"{here}/deliveries")["items"]
    assert (delivery["state"], delivery["charge_point"]) == ("waiting", "CP1")


def test_only_who_may_change_webhooks_does(caller: Make) -> None:
    for scope, status in (("read", 403), ("operate", 403)):
        body = {"name": "theirs", "url": URL}
        assert caller(scope)("POST", "webhooks", body).status_code == status
    limited = caller("admin", sites=[Site.objects.create(name="Garage")])
    assert limited("POST", "webhooks", {"name": "theirs", "url": URL}).status_code == 403
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("url", ["ftp://x/", "https://user:pw@x/", "nonsense"])
def test_an_address_that_can_not_be_called_is_refused(caller: Make, url: str) -> None:
    answer = caller("admin")("POST", "webhooks", {"name": "theirs", "url": url})
    assert answer.status_code == 422
    assert "pw" not in answer.json()["detail"]
