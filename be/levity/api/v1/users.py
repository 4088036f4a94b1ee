"""Users of the pages: look, add, switch off. Nobody gives more rights than they have."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.accounts import users as decisions
from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import one, seen, unfit
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time
from levity.ocpp.models import Site

__all__ = ["router"]

router = Router(tags=["users"])


class UserRow(Row):
    """Somebody who may log in."""

    id: int
    username: str
    first_name: str
    last_name: str
    email: str
    is_active: bool
    is_superuser: bool
    roles: list[str] = Field(description="Viewer, Operator, Admin, or groups of your own.")
    sites: list[int] | None = Field(description="Ids of the only sites they see. Null: all.")
    date_joined: Time
    last_login: Time | None

    @staticmethod
    def resolve_roles(row: Any) -> list[str]:
        """The names of the groups."""
        return sorted(group.name for group in row.groups.all())

    @staticmethod
    def resolve_sites(row: Any) -> list[int] | None:
        """None where there is no limit."""
        account = getattr(row, "account", None)
        if account is None or not account.limited:
            return None
        return sorted(site.pk for site in account.sites.all())


class UserGiven(Body):
    """A new user. Superusers are made on the server only."""

    username: Text = Field(min_length=1, max_length=150)
    first_name: Text = Field("", max_length=150)
    last_name: Text = Field("", max_length=150)
    email: Text = Field("", max_length=254)
    password: Text | None = Field(
        None, max_length=200, description="Null: none works until an admin sets one."
    )
    roles: list[Text] = Field(max_length=20, description="Such as Operator.")
    sites: list[Id] | None = Field(None, max_length=1_000, description="Null: all.")


class Users(Paged):
    """Which users."""

    username: Text | None = Field(None, max_length=150)
    is_active: bool | None = None


def _rows(request: HttpRequest) -> Any:
    rows = seen(request, User).select_related("account")
    return rows.prefetch_related("groups", "account__sites")


@router.get("/users", response=Page[UserRow])
def list_users(request: HttpRequest, asked: Query[Users]) -> Any:
    """Users; for admins of all sites."""
    rows = _rows(request)
    if asked.username is not None:
        rows = rows.filter(username=asked.username)
    if asked.is_active is not None:
        rows = rows.filter(is_active=asked.is_active)
    return page(rows, asked)


@router.post("/users", response={201: UserRow})
def create_user(request: HttpRequest, response: HttpResponse, body: UserGiven) -> Any:
    """Add a user with roles that may do no more than you."""
    values = body.model_dump(exclude={"roles", "sites", "password"})
    known = {group.name: group for group in Group.objects.filter(name__in=body.roles)}
    for name in body.roles:
        if name not in known:
            raise unfit("body.roles", f"There is no role “{name}”.")
    sites: list[Site] | None = None
    if body.sites is not None:
        sites = list(Site.objects.filter(pk__in=body.sites))
        if lacking := set(body.sites) - {site.pk for site in sites}:
            raise unfit("body.sites", f"There is no site {min(lacking)}.")
    row = decisions.add_user(
        User(**values), known.values(), principal(request), password=body.password, sites=sites
    )
    response["Location"] = f"/api/v1/users/{row.pk}"
    return Status(201, one(_rows(request), pk=row.pk))


@router.get("/users/{user_id}", response=UserRow)
def get_user(request: HttpRequest, user_id: Id) -> Any:
    """One user."""
    return one(_rows(request), pk=user_id)


@router.post("/users/{user_id}/disable", response=UserRow)
def disable_user(request: HttpRequest, user_id: Id) -> Any:
    """Switch a user off: sessions and tokens of theirs end at once."""
    decisions.set_active(one(seen(request, User), pk=user_id), principal(request), active=False)
    return one(_rows(request), pk=user_id)


@router.post("/users/{user_id}/enable", response=UserRow)
def enable_user(request: HttpRequest, user_id: Id) -> Any:
    """Let a user log in again."""
    decisions.set_active(one(seen(request, User), pk=user_id), principal(request), active=True)
    return one(_rows(request), pk=user_id)
