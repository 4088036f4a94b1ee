"""Who asks: a user, or a token that acts like one.

`visible`, `may_see`, `check`, `allowed` and `note` take either. A token has the permissions of the
role of its scope, and never more than its owner has now; it sees the sites that both may see.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from levity.accounts.roles import ADMIN, OPERATOR, VIEWER, permissions_of
from levity.api.models import ApiToken, Scope
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited

__all__ = ["Access", "TokenPrincipal", "permissions_of_scope"]

ROLE_OF = {Scope.READ: VIEWER, Scope.OPERATE: OPERATOR, Scope.ADMIN: ADMIN}
NAME_LENGTH = 150


def permissions_of_scope(scope: str) -> frozenset[str]:
    """Such as {"ocpp.view_chargepoint", ...}."""
    rows: Any = permissions_of(ROLE_OF[Scope(scope)])
    found = rows.values_list("content_type__app_label", "codename")
    return frozenset(f"{label}.{codename}" for label, codename in found)


class Access:
    """As `levity.accounts.models.Account`: which sites."""

    def __init__(self, token: ApiToken) -> None:
        owner: Any = token.owner
        self._token = token
        self._owner_limited = owner is not None and is_limited(owner)
        self.limited = token.limited or self._owner_limited

    @property
    def sites(self) -> QuerySet[Site]:
        """Those that token and owner may both see."""
        rows = self._token.sites.all() if self._token.limited else Site.objects.all()
        if self._owner_limited:
            owner: Any = self._token.owner
            rows = rows.filter(pk__in=owner.account.sites.values("pk"))
        return rows.order_by()


class TokenPrincipal:
    """A token in the place of a user. It is never a superuser, whoever its owner is."""

    is_active = is_staff = is_authenticated = True
    is_superuser = is_anonymous = False

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.person: Any = token.owner
        """For foreign keys to users; None if the token was created on the command line."""
        self.pk = self.id = token.owner_id
        self.account = Access(token)
        self._permissions: frozenset[str] | None = None

    def __str__(self) -> str:
        return self.get_username()

    def get_username(self) -> str:
        """As the audit names it: `token billing export (anna)`."""
        owner = f" ({self.person.get_username()})" if self.person else ""
        return f"token {self.token.name}{owner}"[:NAME_LENGTH]

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """True if its scope includes this, and its owner may do it now."""
        if self._permissions is None:
            self._permissions = permissions_of_scope(self.token.scope)
        return perm in self._permissions and (self.person is None or self.person.has_perm(perm))

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """True if it has all of these."""
        return all(self.has_perm(perm) for perm in perm_list)
