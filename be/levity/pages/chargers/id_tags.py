"""Cards, fobs and app identities: the one list that people write."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.contrib.filters.admin import ChoicesRadioFilter
from unfold.decorators import action, display

from levity.ocpp.deciding import Decided
from levity.ocpp.decisions import id_tags as decisions
from levity.ocpp.decisions.expiry import last_day
from levity.ocpp.models import ChargePoint, IdTag, Transaction
from levity.ocpp.rules.id_tags import spellings
from levity.ocpp.visibility import is_limited, visible
from levity.pages.chargers.free_charging import open_anywhere, rule_in_force, void_block
from levity.pages.chargers.id_tag_forms import TagForm
from levity.pages.chargers.id_tags_csv import IdTagFiles
from levity.pages.kit.formats import (
    NOTHING,
    and_more,
    badge,
    change_link,
    excerpt,
    shown_time,
    words,
)
from levity.pages.kit.many import MANY, ask_if_many
from levity.pages.site import site

__all__ = ["IdTagAdmin"]

TONES = {IdTag.Status.ACCEPTED: "good", IdTag.Status.BLOCKED: "bad", IdTag.Status.RECORDED: "warn"}

# Links that are shown of many.
SHOWN = 50


@admin.register(IdTag, site=site)
class IdTagAdmin(IdTagFiles):
    """Who may charge."""

    form = TagForm
    audited = ("id_tag", "status", "expires_at", "parent", "max_transactions", "owner", "type")
    list_display = ("id_tag", "owner", "status_shown", "valid_to", "parent_shown")
    list_filter = (("status", ChoicesRadioFilter),)
    list_select_related = ("parent",)
    search_fields = ("id_tag", "owner")
    search_help_text = "Id tag or owner"
    ordering = (Lower("id_tag"),)
    autocomplete_fields = ("parent", "charge_points")
    actions = ("approve", "block", "unblock", "delete_selected")
    list_before_template = "levity/id_tags_csv.html"
    fields = (
        "id_tag",
        "owner",
        "status",
        "expires_at",
        "max_transactions",
        "parent",
        "group_shown",
        "charging_shown",
        "rule_shown",
        "charge_points",
        "type",
        "notes",
    )
    readonly_fields = (
        "group_shown",
        "charging_shown",
        "rule_shown",
        "places_shown",
        "valid_to",
        "parent_shown",
    )

    @display(description="status", ordering="status")
    def status_shown(self, item: IdTag) -> str:
        """Whether it may charge; the group's word counts, too."""
        own = badge(item.get_status_display(), TONES.get(IdTag.Status(item.status), ""))
        word = _of_group(item)
        shown = format_html("{} {}", own, badge(word, "bad")) if word else own
        is_blocked = item.status == IdTag.Status.BLOCKED or word
        if not is_blocked or not getattr(item, "is_open_anywhere", False):
            return shown
        return format_html(
            '{}<br><span class="lv-soft">{}</span>',
            shown,
            "no card is required here, so this does not prevent charging",
        )

    @display(description="rule in force")
    def rule_shown(self, item: IdTag) -> str:
        """What blocking this card is worth."""
        return rule_in_force()

    def get_queryset(self, request: HttpRequest) -> QuerySet[IdTag]:
        """With a word whether there is a place that asks for no card, and whether this person may
        see the group: that is a tag of its own."""
        rows: QuerySet[IdTag] = super().get_queryset(request)
        rows = rows.annotate(is_open_anywhere=open_anywhere(request.user))
        if not is_limited(request.user):
            return rows
        groups = visible(IdTag.objects.filter(pk=OuterRef("parent")), request.user)
        return rows.annotate(is_parent_seen=Exists(groups))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Another status is decided as by the actions of the list; whoever blocks a card hears
        where that is not enough."""
        changed = "status" in form.changed_data
        wanted, decide = obj.status, self._decision(form) if change and changed else None
        if decide is not None:
            obj.status = form.initial["status"]
            form.changed_data.remove("status")
        super().save_model(request, obj, form, change)
        if decide is not None:
            decide(IdTag.objects.filter(pk=obj.pk), request.user)
            obj.status = wanted
        if wanted == IdTag.Status.BLOCKED and changed:
            _say_where_open(request)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """What the form itself has changed; the decision has left its own entry."""
        if message:
            super().log_change(request, obj, message)

    def _decision(self, form: Any) -> Callable[[QuerySet[IdTag], Any], Decided] | None:
        """What it means to give a tag this status; None: it is only written."""
        before, wanted = form.initial.get("status"), form.cleaned_data["status"]
        if wanted == IdTag.Status.BLOCKED:
            return decisions.block
        if wanted == IdTag.Status.ACCEPTED:
            return decisions.approve if before == IdTag.Status.RECORDED else decisions.unblock
        return None

    @display(description="valid to", ordering="expires_at")
    def valid_to(self, item: IdTag) -> str:
        """The last day on which it is good, or the time; and that this is over."""
        if item.expires_at is None:
            return "no end"
        day = last_day(item.expires_at)
        shown = format_html('<span class="lv-time">{}</span>', day) if day else None
        over = badge("expired", "bad") if item.expires_at <= timezone.now() else ""
        return format_html("{} {}", shown or shown_time(item.expires_at), over)

    @display(description="group", ordering="parent__id_tag")
    def parent_shown(self, item: IdTag) -> str:
        """The tag that it belongs to, for those who may see that one."""
        if item.parent is None:
            return NOTHING
        if not getattr(item, "is_parent_seen", True):
            return "outside your sites"
        return change_link(IdTag, item.parent_id, words(excerpt(item.parent.id_tag, 40)))

    @display(description="members")
    def group_shown(self, item: IdTag) -> str:
        """The tags that have it as their group."""
        if not item.pk:
            return "no tag belongs to this group"
        seen = visible(IdTag.objects.filter(parent=item), _looker(item))
        tags = list(seen.order_by(Lower("id_tag"))[: SHOWN + 1])
        if not tags:
            return "no tag belongs to this group"
        links = format_html_join(
            ", ", "{}", ((change_link(IdTag, t.pk, excerpt(t.id_tag, 40)),) for t in tags[:SHOWN])
        )
        more = and_more(seen.count() - SHOWN) if len(tags) > SHOWN else ""
        return format_html("{}{}", links, more)

    @display(description="charging now")
    def charging_shown(self, item: IdTag) -> str:
        """What runs with it, or with a tag of the group that it is; and how many may."""
        if not item.pk:
            return NOTHING
        tags = (item.id_tag, *item.children.values_list("id_tag", flat=True))
        keys = set[str]().union(*map(spellings, tags))
        running = visible(Transaction.objects.filter(state=Transaction.State.ACTIVE), _looker(item))
        found = running.annotate(key=Lower("id_tag")).filter(key__in=keys).order_by("id")
        rows = list(found[: SHOWN + 1])
        links = format_html_join(
            ", ", "{}", ((change_link(Transaction, row.pk, f"#{row.pk}"),) for row in rows[:SHOWN])
        )
        most = "" if item.max_transactions is None else f" (at most {item.max_transactions})"
        more = and_more(found.count() - SHOWN) if len(rows) > SHOWN else ""
        return format_html("{}{}{}", links or "nothing", more, most)

    @display(description="charge points")
    def places_shown(self, item: IdTag) -> str:
        """Where it is good, as far as this person may know."""
        places = item.charge_points.all() if item.pk else ChargePoint.objects.none()
        seen = visible(places, _looker(item)).order_by(Lower("identity"))
        links = [(change_link(ChargePoint, place.pk, place),) for place in seen[:SHOWN]]
        more = and_more(seen.count() - SHOWN) if len(links) == SHOWN else ""
        return format_html("{}{}", format_html_join(", ", "{}", links) or NOTHING, more)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """With who looks at it: of a tag that is valid at several sites, users see their own."""
        item = super().get_object(request, object_id, from_field)
        if item is not None:
            item.looker = request.user
        return item

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look sees until when it is good as the list does; and to somebody who is
        limited to some sites, nothing of others is named."""
        shown = list(self.fields)
        others: dict[str, str] = {}
        if not self.has_change_permission(request, obj) and obj is not None:
            others["expires_at"] = "valid_to"
        if is_limited(request.user):
            shown.remove("rule_shown")
            others["charge_points"] = "places_shown"
            others["parent"] = "parent_shown"
        return tuple(others.get(name, name) for name in shown)

    @action(description="Approve recorded tags", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[IdTag]) -> Any:
        """Let those charge that presented themselves and were noted."""
        recorded = queryset.filter(status=IdTag.Status.RECORDED)
        return self._decide(request, recorded, decisions.approve, ("approve", "approved"))

    @action(description="Block", permissions=["change"])
    def block(self, request: HttpRequest, queryset: QuerySet[IdTag]) -> Any:
        """Refuse these from now on, under every rule."""
        others = queryset.exclude(status=IdTag.Status.BLOCKED)
        asked = self._decide(request, others, decisions.block, ("block", "blocked"))
        if asked is None:
            _say_where_open(request)
        return asked

    @action(description="Unblock", permissions=["change"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[IdTag]) -> Any:
        """Let these charge again."""
        blocked = queryset.filter(status=IdTag.Status.BLOCKED)
        return self._decide(request, blocked, decisions.unblock, ("unblock", "unblocked"))

    @action(description="Delete", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[IdTag]) -> Any:
        """Django's page, which names each; very many are counted there and deleted in portions."""
        if queryset.count() <= MANY:
            return delete_selected(self, request, queryset)
        try:
            decisions.check_deletion(queryset, request.user)
            if asked := ask_if_many(request, self, queryset, "delete_selected", "Delete"):
                return asked
            decided = decisions.delete_tags(queryset, request.user)
        except decisions.HasMembers as error:
            messages.error(request, error.sentence)
        else:
            messages.success(request, f"Deleted: {decided.count:,}.")
        return None

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        decisions.delete_tags(IdTag.objects.filter(pk=obj.pk), request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[IdTag]) -> None:
        """A few, from the page that names each."""
        decisions.delete_tags(queryset, request.user)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """The decision leaves its entries."""

    def _decide(
        self,
        request: HttpRequest,
        tags: QuerySet[IdTag],
        decide: Callable[[QuerySet[IdTag], Any], Decided],
        words: tuple[str, str],
    ) -> HttpResponse | None:
        """Change all of these; of many ask first."""
        name, done = words
        if asked := ask_if_many(request, self, tags, name, name.capitalize()):
            return asked
        decided = decide(tags, request.user)
        messages.success(request, f"{done.capitalize()}: {decided.count:,}.")
        return None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for somebody who sees some sites only: a tag may be good at others as well."""
        return super().has_change_permission(request, obj) and not is_limited(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The same."""
        return super().has_delete_permission(request, obj) and not is_limited(request.user)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A group stays while it has tags: without it those of a blocked household could charge."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        pks = [item.pk for item in objs]
        members = IdTag.objects.filter(parent__in=pks).exclude(pk__in=pks).order_by(Lower("id_tag"))
        protected += [
            format_html(
                "{}, a tag of this group: delete it as well, or remove it from the group first",
                change_link(IdTag, tag.pk, excerpt(tag.id_tag, 40)),
            )
            for tag in members[:SHOWN]
        ]
        if more := and_more(members.count() - SHOWN):
            protected.append(f"{more.strip().capitalize()} tags in such groups")
        return deleted, counts, lacking, protected


def _looker(item: IdTag) -> Any:
    return getattr(item, "looker", None)


def _of_group(item: IdTag) -> str:
    """Why its group keeps it from charging, if it does."""
    group = item.parent
    if group is None:
        return ""
    if group.status == IdTag.Status.BLOCKED:
        return "its group is blocked"
    if group.expires_at is not None and group.expires_at <= timezone.now():
        return "its group has expired"
    return ""


def _say_where_open(request: HttpRequest) -> None:
    if said := void_block():
        messages.warning(request, said)
