"""Whose session it is: the owner of the id tag, or of the group (the household) that it is in."""

from typing import Any

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from levity.ocpp.admin.scope import visible
from levity.ocpp.models import IdTag

__all__ = ["id_tags_of", "may_see_owners", "with_owner"]

MOST = 1_000


def may_see_owners(user: Any) -> bool:
    """Names of residents are for those who may see id tags."""
    return bool(user.has_perm("ocpp.view_idtag"))


def with_owner(transactions: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Each with `owner` and `group`: empty where nobody knows, or this person may not."""
    tags = visible(IdTag.objects.all(), user) if may_see_owners(user) else IdTag.objects.none()
    tag = tags.annotate(key=Lower("id_tag")).filter(key=Lower(OuterRef("id_tag"))).order_by()
    owner = Coalesce(NullIf("owner", Value("")), "parent__owner", Value(""))
    return transactions.annotate(
        owner=_text(tag.annotate(of=owner).values("of")[:1]),
        group=_text(tag.values("parent__id_tag")[:1]),
    )


def id_tags_of(owner: str, user: Any) -> list[str]:
    """The id tags, in lower case, of those whose name has this in it; `MOST` at most."""
    if not may_see_owners(user):
        return []
    named = Q(owner__icontains=owner) | Q(parent__owner__icontains=owner)
    tags = visible(IdTag.objects.all(), user).filter(named).order_by()
    return list(tags.values_list(Lower("id_tag"), flat=True)[:MOST])


def _text(found: QuerySet[Any]) -> Any:
    return Coalesce(Subquery(found), Value(""), output_field=CharField())
