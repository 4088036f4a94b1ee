"""Webhooks: addresses that events are sent to, and what became of each."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import changing, one, seen, tag
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.problems import Problem
from levity.integrations import webhooks
from levity.integrations.models import Delivery, Webhook
from levity.integrations.webhooks import Wishes
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import Site
from levity.posting import shown_host

__all__ = ["router"]

router = Router(tags=["webhooks"])

CHANGEABLE = ("name", "url", "enabled", "types", "may_see_tags")


class WebhookRow(Row):
    """A webhook. Of its address only the host is shown, because the rest may be a secret."""

    id: int
    name: str
    host: str
    enabled: bool
    types: list[str] = Field(description="Empty: all.")
    sites: list[int] = Field(description="Ids; empty: all.")
    may_see_tags: bool
    error: str
    sent_at: Time | None

    @staticmethod
    def resolve_host(row: Webhook) -> str:
        """Without what may be a token."""
        return shown_host(row.url)

    @staticmethod
    def resolve_sites(row: Webhook) -> list[int]:
        """Their ids."""
        return [site.pk for site in row.sites.all()]


class WebhookWithSecret(WebhookRow):
    """The secret is shown this once."""

    secret: str


class NewWebhook(Body):
    """A webhook to be created."""

    name: Text = Field(min_length=1, max_length=100)
    url: Text = Field(min_length=1, max_length=500)
    enabled: bool = True
    types: list[Text] = Field([], max_length=50)
    sites: list[Id] = Field([], max_length=100)
    may_see_tags: bool = False


class WebhookChange(Body):
    """Fields that are left out stay as they are."""

    name: Text | None = Field(None, min_length=1, max_length=100)
    url: Text | None = Field(None, min_length=1, max_length=500)
    enabled: bool | None = None
    types: list[Text] | None = Field(None, max_length=50)
    sites: list[Id] | None = Field(None, max_length=100)
    may_see_tags: bool | None = None


class DeliveryRow(Row):
    """One event for one webhook."""

    id: int
    event: int
    type: str
    charge_point: str = Field(alias="identity")
    occurred_at: Time = Field(alias="at")
    state: str = Field(description="`waiting`, `sent`, `dead` or `discarded`.")
    attempts: int
    status: int | None = Field(description="HTTP status of the last answer.")
    error: str
    done_at: Time | None


class Replay(Body):
    """Events of this time."""

    since: TimeGiven
    until: TimeGiven


class Count(Row):
    """How many."""

    count: int


class Tested(Row):
    """What the receiver said."""

    ok: bool
    error: str = Field(description="Empty if it took the test.")


def _rows(request: HttpRequest) -> Any:
    return seen(request, Webhook).prefetch_related("sites")


@router.get("/webhooks", response=Page[WebhookRow])
def list_webhooks(request: HttpRequest, asked: Query[Paged]) -> Any:
    """All webhooks."""
    return page(_rows(request), asked)


@router.post("/webhooks", response={201: WebhookWithSecret})
def create_webhook(request: HttpRequest, body: NewWebhook) -> Any:
    """Create one. It gets events from now on."""
    wishes = Wishes(
        body.name,
        body.url,
        body.enabled,
        tuple(body.types),
        _sites(body.sites),
        body.may_see_tags,
    )
    row, secret = _decided(webhooks.create, wishes, principal(request))
    row.secret = secret
    return Status(201, row)


@router.get("/webhooks/{webhook_id}", response=WebhookRow)
def get_webhook(request: HttpRequest, response: HttpResponse, webhook_id: Id) -> Any:
    """One webhook."""
    row = one(_rows(request), pk=webhook_id)
    tag(response, row, CHANGEABLE)
    return row


@router.patch("/webhooks/{webhook_id}", response=WebhookRow)
def change_webhook(request: HttpRequest, webhook_id: Id, body: WebhookChange) -> Any:
    """Change one."""
    with changing(request, seen(request, Webhook), CHANGEABLE, pk=webhook_id) as row:
        said = body.dict(exclude_unset=True)
        sites = said.get("sites")
        wishes = Wishes(
            _or(said.get("name"), row.name),
            _or(said.get("url"), row.url),
            _or(said.get("enabled"), row.enabled),
            tuple(_or(said.get("types"), row.types)),
            tuple(row.sites.all()) if sites is None else _sites(sites),
            _or(said.get("may_see_tags"), row.may_see_tags),
        )
        _decided(webhooks.change, row, wishes, principal(request))
    return one(_rows(request), pk=webhook_id)


@router.delete("/webhooks/{webhook_id}", response={204: None})
def delete_webhook(request: HttpRequest, webhook_id: Id) -> Any:
    """Delete one, with its deliveries."""
    webhooks.remove(one(_rows(request), pk=webhook_id), principal(request))
    return Status(204, None)


@router.post("/webhooks/{webhook_id}/secret", response=WebhookWithSecret)
def rotate_webhook_secret(request: HttpRequest, webhook_id: Id) -> Any:
    """Make a new secret. For a day, the old one signs as well."""
    row: Any = one(_rows(request), pk=webhook_id)
    secret = webhooks.rotate(row, principal(request))
    row.secret = secret
    return row


@router.post("/webhooks/{webhook_id}/test", response=Tested)
def test_webhook(request: HttpRequest, webhook_id: Id) -> Any:
    """Send an event of the type `test` now."""
    said = webhooks.test(one(_rows(request), pk=webhook_id), principal(request))
    return {"ok": not said, "error": said}


@router.post("/webhooks/{webhook_id}/replay", response=Count)
def replay_webhook(request: HttpRequest, webhook_id: Id, body: Replay) -> Any:
    """Send the events of this time again, with the same ids."""
    row = one(_rows(request), pk=webhook_id)
    return {"count": webhooks.replay_range(row, body.since, body.until, principal(request))}


@router.get("/webhooks/{webhook_id}/deliveries", response=Page[DeliveryRow])
def list_deliveries(request: HttpRequest, webhook_id: Id, asked: Query[Paged]) -> Any:
    """What was sent, waits, or was given up; the newest first."""
    row = one(_rows(request), pk=webhook_id)
    return page(Delivery.objects.filter(webhook=row), asked, newest_first=True)


def _decided(decide: Any, *given: Any) -> Any:
    """What is wrong with the values is told as such."""
    try:
        return decide(*given)
    except NotPossible as error:
        raise Problem(422, error.sentence) from error


def _sites(ids: list[int]) -> tuple[Site, ...]:
    found = tuple(Site.objects.filter(pk__in=ids))
    if len(found) < len(set(ids)):
        raise Problem(422, "There is no site with one of these ids.")
    return found


def _or(value: Any, other: Any) -> Any:
    return other if value is None else value
