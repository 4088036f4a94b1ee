"""Creating, finding and revoking tokens; each creation and revocation is in the audit.

A token is `levity_<prefix>_<secret>`. The prefix finds the row; of the secret, 256 random bits, a
SHA-256 is stored: a slow digest is for what people think of.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from levity.api.models import ApiToken, Scope
from levity.api.people import has_accounts
from levity.api.principals import permissions_of_scope
from levity.ocpp.audit import Who, note, person
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited, visible

__all__ = ["MAKE", "MANAGE", "create_token", "find_token", "may_revoke", "note_use", "revoke_token"]

BRAND = "levity"
PREFIX_BYTES, SECRET_BYTES = 4, 32
LONGEST = 100
NOTED_EVERY = timedelta(minutes=1)
MAKE, MANAGE = "api.add_apitoken", "api.change_apitoken"
"""The permissions to create tokens of one's own, and to see and revoke everybody's."""


def create_token(
    name: str,
    scope: str,
    who: Who,
    *,
    sites: Iterable[Site] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """The row, and the token, which can't be shown again. `sites`: only these; None: all that the
    creator may see. Raises `NotAllowed` for a scope beyond the creator's own rights.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise NotPossible("the expiry date is in the past")
    limited_to = None if sites is None else list(sites)
    if who is not None:
        _within_own_rights(who, scope, limited_to)
    prefix, secret = secrets.token_hex(PREFIX_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    row = ApiToken(
        name=name,
        scope=scope,
        limited=limited_to is not None,
        prefix=prefix,
        digest=_digest(secret),
        owner=person(who),
        expires_at=expires_at,
    )
    with transaction.atomic():
        row.save(force_insert=True)
        row.sites.set(limited_to or ())
        after: dict[str, Any] = {"scope": scope, "expires_at": expires_at}
        if limited_to is not None:
            after["sites"] = [site.name for site in limited_to]
        note(who, [row], "token created", {}, after)
    return row, f"{BRAND}_{prefix}_{secret}"


def _within_own_rights(who: Any, scope: str, sites: list[Site] | None) -> None:
    if not who.has_perm(MAKE):
        raise NotAllowed("your roles do not include creating API tokens")
    if scope != Scope.READ and not who.is_superuser:
        lacking = [name for name in permissions_of_scope(scope) if not who.has_perm(name)]
        if lacking:
            raise NotAllowed(
                f"a token with scope “{scope}” may do more than you may; choose a smaller scope"
            )
    if sites and is_limited(who):
        wanted = {site.pk for site in sites}
        if visible(Site.objects.filter(pk__in=wanted), who).count() < len(wanted):
            raise NotAllowed("some of these sites are not yours")


def find_token(text: str) -> ApiToken | None:
    """The row of this token, valid or not; None: there is no such token."""
    brand, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if brand != BRAND or not text.isascii() or len(text) > LONGEST or not secret:
        return None
    rows = ApiToken.objects.select_related("owner__account" if has_accounts() else "owner")
    row = rows.filter(prefix=prefix[: 2 * PREFIX_BYTES + 1]).first()
    if row is None or not hmac.compare_digest(row.digest, _digest(secret)):
        return None
    return row


def note_use(token: ApiToken, now: datetime) -> None:
    """Write down that it was used, at most once a minute."""
    stale = now - NOTED_EVERY
    if token.last_used_at is not None and token.last_used_at > stale:
        return
    unused = Q(last_used_at__isnull=True) | Q(last_used_at__lte=stale)
    ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)


def may_revoke(token: ApiToken, who: Who) -> bool:
    """One's own; or anybody's, with the permission to manage tokens at all sites."""
    if who is None or (who.pk is not None and token.owner_id == who.pk):
        return True
    return bool(who.has_perm(MANAGE)) and not is_limited(who)


def revoke_token(token: ApiToken, who: Who) -> bool:
    """Make it invalid for ever; False if it already was revoked."""
    if not may_revoke(token, who):
        raise NotAllowed("only its owner, or an admin, can revoke a token")
    with transaction.atomic():
        rows = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True)
        if not rows.update(revoked_at=timezone.now()):
            return False
        note(who, [token], "token revoked")
    return True


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
