"""Whose session it is: the owner of the id tag, or of the group (the household) that it is in."""

from typing import Any

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from levity.ocpp.models import IdTag
from levity.ocpp.visibility import is_limited, visible

__all__ = ["id_tags_of", "may_see_owners", "with_owner"]


def may_see_owners(user: Any) -> bool:
    """Names of residents are for those who may see id tags; None: the command line."""
    return user is None or bool(user.has_perm("ocpp.view_idtag"))


def with_owner(transactions: QuerySet[Any], user: Any) -> QuerySet[Any]:
    """Each with `owner` and `group`: empty where nobody knows, or this person may not."""
    tags = visible(IdTag.objects.all(), user) if may_see_owners(user) else IdTag.objects.none()
    tag = tags.annotate(key=Lower("id_tag")).filter(key=Lower(OuterRef("id_tag"))).order_by()
    group_owner: Any = "parent__owner"
    group: Any = "parent__id_tag"
    if is_limited(user):
        # The group may be of another site: that is a row of its own to see or not to see.
        groups = tags.filter(pk=OuterRef("parent")).order_by()
        group_owner, group = (Subquery(groups.values(name)[:1]) for name in ("owner", "id_tag"))
    owner = Coalesce(NullIf("owner", Value("")), group_owner, Value(""))
    return transactions.annotate(
        owner=_text(tag.annotate(of=owner).values("of")[:1]),
        group=_text(tag.annotate(within=group).values("within")[:1])
        if is_limited(user)
        else _text(tag.values(group)[:1]),
    )


def id_tags_of(owner: str, user: Any) -> QuerySet[Any]:
    """The id tags, in lower case, of those whose name, or whose group's, has this in it."""
    if not may_see_owners(user):
        return IdTag.objects.none().values_list(Lower("id_tag"), flat=True)
    tags = visible(IdTag.objects.all(), user).order_by()
    named = tags.filter(owner__icontains=owner)
    found = tags.filter(Q(pk__in=named.values("pk")) | Q(parent__in=named.values("pk")))
    return found.values_list(Lower("id_tag"), flat=True)


def _text(found: QuerySet[Any]) -> Any:
    return Coalesce(Subquery(found), Value(""), output_field=CharField())
