"""The onboarding doctor: who was refused, why, and what to do; and the way in for a charger."""

import csv
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, CHANGE
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.ocpp.audit import note
from levity.ocpp.chargers.security import keys
from levity.ocpp.chargers.security.reasons import REASONS, reason
from levity.ocpp.conf import setting
from levity.ocpp.decisions.door import state
from levity.ocpp.decisions.id_tags_csv import safe_cell
from levity.ocpp.models import (
    ChargePoint,
    Credential,
    RefusedHandshake,
    SecurityProfile,
    Site,
)
from levity.ocpp.visibility import visible
from levity.pages.chargers.dashboard import connect_to
from levity.pages.chargers.door import banner, may_close
from levity.pages.chargers.security import shown_once, unlock
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import NOTHING, badge, change_link, excerpt, shown_time
from levity.pages.site import site
from levity_ws.edge.target import is_identity

__all__ = ["RefusedHandshakeAdmin"]

ADOPT = "ocpp_refusedhandshake_adopt"
PRESENTED, NEW, KEEP, NONE = "presented", "new", "keep", "none"
WITH_KEY = (SecurityProfile.BASIC, SecurityProfile.BASIC_TLS)


class ReasonFilter(admin.SimpleListFilter):
    """By what was wrong."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All reasons there can be."""
        return [(word, item.title) for word, item in REASONS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those refused for this reason."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


class AdoptForm(forms.Form):
    """With what it is let in."""

    name = forms.CharField(
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="A descriptive name; optional.",
    )
    site = forms.ModelChoiceField(
        Site.objects.none(), required=False, widget=UnfoldAdminSelectWidget
    )
    profile = forms.TypedChoiceField(
        coerce=int, choices=SecurityProfile.choices, widget=UnfoldAdminSelectWidget
    )
    key = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    allow_short = forms.BooleanField(
        label="Allow a short or empty key",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Anyone who knows the identity can then impersonate this charger.",
    )

    def __init__(
        self, *args: Any, item: RefusedHandshake, known: ChargePoint | None, user: Any, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.item, self.known = item, known
        credential = Credential.objects.filter(charge_point=known).first() if known else None
        self.has_key = bool(credential and credential.digest)
        choices = [(NEW, "a new key, shown once: enter it in the charger")]
        if item.key_digest:
            length = item.key_length or 0
            choices.insert(0, (PRESENTED, f"the key that it presented ({length} bytes)"))
        if self.has_key:
            choices.append((KEEP, "the key that is set here"))
        choices.append((NONE, "none (profiles 0 and 3)"))
        self.fields["key"].choices = choices  # type: ignore[attr-defined]
        if known:
            del self.fields["name"], self.fields["site"]
        else:
            found = visible(Site.objects.order_by("name"), user)
            self.fields["site"].queryset = found  # type: ignore[attr-defined]
        if not self._is_short:
            del self.fields["allow_short"]
        profile = _fitting_profile(item, known)
        self.fields["profile"].initial = profile
        if not item.secure:
            self.fields["profile"].help_text = (
                "It connected without TLS: with profile 2 or 3 it is accepted only when its "
                "address begins with wss://."
            )
        if profile in WITH_KEY:
            self.fields["key"].initial = PRESENTED if item.key_digest else NEW
        else:
            self.fields["key"].initial = NONE

    @property
    def _is_short(self) -> bool:
        length = self.item.key_length
        return length is not None and length < keys.SHORTEST

    def clean(self) -> dict[str, Any]:
        """What fits together."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        profile, key = cleaned.get("profile"), cleaned.get("key")
        if profile in WITH_KEY and key == NONE:
            raise forms.ValidationError("This profile requires a key: choose one.")
        if self.known and profile is not None and profile < self.known.security_profile:
            raise forms.ValidationError(
                f"Its profile is {self.known.security_profile}. Lower it on its page “Security”."
            )
        if key == PRESENTED and self._is_short and not cleaned.get("allow_short"):
            raise forms.ValidationError(
                "The key that it presented is shorter than 16 bytes. Choose a new one, or tick "
                "the box below."
            )
        return cleaned


@admin.register(RefusedHandshake, site=site)
class RefusedHandshakeAdmin(ReadOnlyAdmin):
    """Each identity, address, path and reason once, the newest first."""

    list_display = ("when", "who", "what_helps", "how_often", "agent", "act")
    list_filter = (ReasonFilter,)
    search_fields = ("identity", "address")
    search_help_text = "Identity or address"
    sortable_by = ()
    ordering = ("-last_at", "-pk")
    list_before_template = "levity/doctor_help.html"
    actions = ("as_csv",)
    fields = (
        "when",
        "first",
        "who",
        "what_helps",
        "how_often",
        "agent",
        "path",
        "subprotocols",
        "line",
        "edge",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefusedHandshake]:
        """With the charge point of that identity, and when it connected last."""
        known = ChargePoint.objects.annotate(key=Lower("identity")).filter(
            key=Lower(OuterRef("identity"))
        )
        rows: QuerySet[RefusedHandshake] = super().get_queryset(request)
        return rows.annotate(
            known_as=Subquery(known.values("pk")[:1]),
            connected_at=Subquery(known.values("connected_at")[:1]),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, under the address that chargers should have."""
        extra = dict(extra_context or {})
        extra["title"] = "Onboarding doctor"
        extra["connect_to"] = connect_to(request)
        extra["door"] = banner(request)
        extra["is_closed"] = may_close(request.user) and state().closed_at is not None
        extra["is_healthy"] = not RefusedHandshake.objects.exists()
        return super().changelist_view(request, extra)

    # --- columns --------------------------------------------------------------------------------

    @display(description="last time")
    def when(self, item: RefusedHandshake) -> str:
        """By the edge's clock."""
        return shown_time(item.last_at)

    @display(description="first time")
    def first(self, item: RefusedHandshake) -> str:
        """By the edge's clock."""
        return shown_time(item.first_at)

    @display(description="charger, address")
    def who(self, item: RefusedHandshake) -> str:
        """The charge point, or what the URL said; and the address."""
        known = getattr(item, "known_as", None)
        if known is not None:
            name = change_link(ChargePoint, known, item.identity)
        elif item.identity:
            name = format_html("“{}”", item.identity)
        else:
            name = NOTHING
        # The path as it came: of many chargers behind one router it tells which one it is.
        came_to = format_html("{}<br>", excerpt(item.path, 80)) if item.path else ""
        return format_html(
            '{}<br><span class="lv-soft">{}{}</span>', name, came_to, item.address or NOTHING
        )

    @display(description="reason, and what to do")
    def what_helps(self, item: RefusedHandshake) -> str:
        """The reason and the hint."""
        found = reason(item.reason)
        detail = format_html(" ({})", excerpt(item.detail, 120)) if item.detail else ""
        return format_html(
            '{}{} {}<br><span class="lv-hint">{}</span>',
            badge(found.title, "bad"),
            detail,
            _since(item),
            found.hint,
        )

    @display(description="times")
    def how_often(self, item: RefusedHandshake) -> str:
        """Since it first came."""
        return str(item.count)

    @display(description="user agent")
    def agent(self, item: RefusedHandshake) -> str:
        """What its websocket library calls itself."""
        return excerpt(item.user_agent, 40) or NOTHING

    @display(description="TLS")
    def line(self, item: RefusedHandshake) -> str:
        """Whether it came encrypted."""
        return "yes" if item.secure else "no"

    @display(description="next step")
    def act(self, item: RefusedHandshake) -> str:
        """The way in, for what can be a charger of ours."""
        if not _adoptable(item):
            return ""
        known = getattr(item, "known_as", None)
        text = "Set this key" if known and item.key_digest else "Adopt this charger"
        if known and not item.key_digest:
            text = "Let it in"
        address = reverse(f"levity:{ADOPT}", args=[item.pk])
        return format_html('<a class="lv-button" href="{}">{}</a>', address, text)

    @action(description="Download as CSV")
    def as_csv(self, request: HttpRequest, queryset: QuerySet[RefusedHandshake]) -> HttpResponse:
        """Those that are ticked, safe to open in a spreadsheet; times in UTC."""
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        name = f"refused-handshakes-{timezone.localtime():%Y%m%d-%H%M}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        writer = csv.writer(response)
        columns = (
            *("identity", "address", "reason", "detail", "status", "count", "first_at", "last_at"),
            *("path", "user_agent", "subprotocols", "secure", "edge"),
        )
        writer.writerow([*columns, "what to do"])
        for item in queryset.order_by("-last_at"):
            values = [getattr(item, column) for column in columns]
            cells = [
                value.astimezone(UTC).isoformat("T", "seconds")
                if isinstance(value, datetime)
                else str(value)
                for value in values
            ]
            writer.writerow([safe_cell(cell) for cell in (*cells, reason(item.reason).hint)])
        return response

    # --- adopting -------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Adopting has its page."""
        page = path("<int:pk>/adopt/", self.admin_site.admin_view(self.adopt_view), name=ADOPT)
        return [page, *super().get_urls()]

    def adopt_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What will be set, and then it is."""
        user: Any = request.user
        if not user.has_perms(["ocpp.add_chargepoint", "ocpp.change_credential"]):
            raise PermissionDenied
        item = get_object_or_404(visible(RefusedHandshake.objects.all(), user), pk=pk)
        known = ChargePoint.objects.filter(identity__iexact=item.identity).first()
        if not _adoptable(item):
            messages.warning(request, "This one can't be adopted: see its row for what to do.")
            return redirect("levity:ocpp_refusedhandshake_changelist")
        if request.method != "POST":
            form = AdoptForm(item=item, known=known, user=user)
            return self._ask(request, item, known, form)
        form = AdoptForm(request.POST, item=item, known=known, user=user)
        if not form.is_valid():
            return self._ask(request, item, known, form)
        with transaction.atomic():
            row, key = _adopt(item, known, form.cleaned_data)
            note(
                request,
                [row],
                CHANGE if known else ADDITION,
                f"adopted from {item.address} with security profile {row.security_profile}",
            )
        said = f"{row} will be accepted at its next attempt, usually within a minute."
        if key:
            return shown_once(request, row, key, said)
        messages.success(request, said)
        return redirect("levity:ocpp_chargepoint_change", row.pk)

    def _ask(
        self,
        request: HttpRequest,
        item: RefusedHandshake,
        known: ChargePoint | None,
        form: AdoptForm,
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": RefusedHandshake._meta,
            "title": f"Adopt {item.identity}",
            "item": item,
            "why": reason(item.reason),
            "known": known,
            "first": shown_time(item.first_at),
            "last": shown_time(item.last_at),
            "form": form,
            "media": form.media,
        }
        return TemplateResponse(request, "levity/doctor_adopt.html", context)


def _adopt(
    item: RefusedHandshake, known: ChargePoint | None, values: dict[str, Any]
) -> tuple[ChargePoint, str]:
    """The charge point that may come in now, and its key if that is a new one."""
    row = known or ChargePoint(
        identity=item.identity, name=values.get("name", ""), site=values.get("site")
    )
    row.security_profile, row.profile_since = values["profile"], timezone.now()
    row.save()
    key = ""
    digest = ""
    if values["key"] == NEW:
        key = keys.new_key()
        digest = keys.digest_of(key.encode())
    elif values["key"] == PRESENTED:
        digest = item.key_digest
    if digest:
        Credential.objects.update_or_create(
            charge_point=row,
            defaults={
                "digest": digest,
                "set_at": timezone.now(),
                "allow_short": values.get("allow_short", False),
                "next_digest": "",
                "next_command": None,
            },
        )
    unlock(row.identity)
    RefusedHandshake.objects.filter(identity__iexact=item.identity, address=item.address).delete()
    return row, key


def _adoptable(item: RefusedHandshake) -> bool:
    return reason(item.reason).adoptable and is_identity(item.identity)


def _fitting_profile(item: RefusedHandshake, known: ChargePoint | None) -> int:
    """What it came with; never less than what it has, or than what new ones begin with."""
    came_with = SecurityProfile.OPEN
    if item.key_digest or item.reason == "no-key":
        came_with = SecurityProfile.BASIC_TLS if item.secure else SecurityProfile.BASIC
    least = known.security_profile if known else setting("OCPP_SECURITY_PROFILE")
    return max(int(came_with), least)


def _since(item: RefusedHandshake) -> str:
    connected_at = getattr(item, "connected_at", None)
    return badge("in since", "good") if connected_at and connected_at > item.last_at else ""
