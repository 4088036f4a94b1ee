"""The pages of API tokens: one's own, or all for who manages them; create one, revoke one."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from levity.api.models import ApiToken, Scope
from levity.api.people import second_step
from levity.api.principals import permissions_of_scope
from levity.api.tokens import MAKE, MANAGE, create_token, may_revoke, revoke_token
from levity.ocpp.deciding import Refused
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited, visible
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import badge, shown_time
from levity.pages.site import site
from levity.secrets.sealing import Unreadable

__all__ = ["ApiTokenAdmin"]

CREATE, REVOKE = "api_apitoken_create", "api_apitoken_revoke"
LIST = "levity:api_apitoken_changelist"
NEVER = 0
DAYS = ((30, "30 days"), (90, "90 days"), (365, "a year"), (NEVER, "never"))


class TokenForm(forms.Form):
    """What the token is for, and what it may do: no more than its creator."""

    name = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="What will use it, such as “billing export”. The audit names it.",
    )
    scope = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    expires = forms.TypedChoiceField(
        label="Expires after", coerce=int, choices=DAYS, initial=365, widget=UnfoldAdminSelectWidget
    )
    limited = forms.BooleanField(
        label="Only the sites below", required=False, widget=UnfoldBooleanWidget
    )
    sites = forms.ModelMultipleChoiceField(
        Site.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    code = forms.CharField(
        max_length=20,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "spellcheck": "false"}
        ),
        help_text="From the app on your phone, or a recovery code.",
    )

    def __init__(self, *args: Any, user: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._user = user
        self.fields["scope"].choices = [  # type: ignore[attr-defined]
            (scope.value, scope.label) for scope in Scope if _may_give(user, scope)
        ]
        found = visible(Site.objects.order_by("name"), user)
        self.fields["sites"].queryset = found  # type: ignore[attr-defined]
        if not found.exists():
            del self.fields["limited"], self.fields["sites"]
        if not second_step().is_on(user):
            del self.fields["code"]

    def clean_code(self) -> str:
        """A stranger at an unlocked screen has no phone. The code is used up."""
        code = str(self.cleaned_data["code"]).replace(" ", "").replace("-", "").lower()
        try:
            known = code.isascii() and code.isalnum() and second_step().check_code(self._user, code)
        except Unreadable:
            known = False
        if not known:
            raise forms.ValidationError(
                "Wrong code, or already used, or entered too soon after a wrong one. Wait for the "
                "next one."
            )
        return code

    def clean_sites(self) -> Any:
        """At least one, if it is limited."""
        found = self.cleaned_data["sites"]
        if self.cleaned_data.get("limited") and not found:
            raise forms.ValidationError("Select at least one site: it would see nothing.")
        return found


def _may_give(user: Any, scope: Scope) -> bool:
    return scope == Scope.READ or all(map(user.has_perm, permissions_of_scope(scope)))


def _manages(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm(MANAGE)) and not is_limited(user)


@admin.register(ApiToken, site=site)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Their prefix is shown, so that one can be recognised; the token itself is not stored."""

    list_display = ("name", "scope", "where", "made_by", "expires", "used", "state")
    list_select_related = ("owner",)
    list_before_template = "levity/api/tokens_help.html"
    sortable_by = ()
    search_fields = ("name",)
    search_help_text = "Name"
    fields = ("name", "beginning", "scope", "where", "made_by", "made", "expires", "used", "state")
    readonly_fields = fields
    change_form_outer_after_template = "levity/api/token_now.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """One's own; all for who manages them and sees all sites."""
        rows = ApiToken.objects.prefetch_related("sites").order_by("-pk")
        return rows if _manages(request) else rows.filter(owner=request.user.pk)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of one's own, or of all."""
        own = obj is None or obj.owner_id == request.user.pk
        return super().has_view_permission(request, obj) and (own or _manages(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Whether others have a token of this number is not told."""
        row = super().get_object(request, object_id, from_field)
        if row is None and not _manages(request):
            raise PermissionDenied
        return row

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with the way to a new one."""
        user: Any = request.user
        extra = {**(extra_context or {}), "may_create": user.has_perm(MAKE)}
        return super().changelist_view(request, extra)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One token, with the button that revokes it."""
        extra = dict(extra_context or {})
        row = self.get_object(request, object_id)
        if row is not None and row.revoked_at is None and may_revoke(row, request.user):
            extra["revoke_url"] = reverse(f"levity:{REVOKE}", args=[row.pk])
        return super().change_view(request, object_id, form_url, extra)

    def get_urls(self) -> list[URLPattern]:
        """Creating and revoking have their pages."""
        view = self.admin_site.admin_view
        return [
            path("create/", view(self.create_view), name=CREATE),
            path("<int:pk>/revoke/", view(self.revoke_view), name=REVOKE),
            *super().get_urls(),
        ]

    def create_view(self, request: HttpRequest) -> HttpResponse:
        """Ask what it may do; then show it, this once."""
        user: Any = request.user
        if not user.has_perm(MAKE):
            raise PermissionDenied
        form = TokenForm(request.POST or None, user=user)
        if request.method == "POST" and form.is_valid():
            values = form.cleaned_data
            days = values["expires"]
            try:
                row, token = create_token(
                    values["name"],
                    values["scope"],
                    user,
                    sites=values["sites"] if values.get("limited") else None,
                    expires_at=timezone.now() + timedelta(days=days) if days else None,
                )
            except Refused as error:
                form.add_error(None, error.sentence)
            else:
                return self._shown_once(request, row, token)
        return self._page(request, "create_token", "New API token", form=form, media=form.media)

    def _shown_once(self, request: HttpRequest, row: ApiToken, token: str) -> HttpResponse:
        response = self._page(request, "token_once", "New API token", token=token, row=row)
        response.headers["Cache-Control"] = "no-store"
        return response

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and do it."""
        row = get_object_or_404(self.get_queryset(request), pk=pk)
        if not may_revoke(row, request.user):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, "revoke_token", f"Revoke {row}", row=row)
        if revoke_token(row, request.user):
            messages.success(request, f"The token “{row.name}” is revoked.")
        return redirect(LIST)

    def _page(self, request: HttpRequest, template: str, title: str, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": ApiToken._meta,
            "title": title,
            "back": reverse(LIST),
            **more,
        }
        return TemplateResponse(request, f"levity/api/{template}.html", context)

    @display(description="begins with")
    def beginning(self, row: ApiToken) -> str:
        """What can be seen of it, to recognise it."""
        return f"levity_{row.prefix}_…"

    @display(description="sites")
    def where(self, row: ApiToken) -> str:
        """Those it is limited to."""
        if not row.limited:
            return "all" if row.owner is None else "all that its owner sees"
        return ", ".join(site.name for site in row.sites.all()) or "none"

    @display(description="created by")
    def made_by(self, row: ApiToken) -> str:
        """Whose rights it has at most."""
        return row.owner.get_username() if row.owner else "command line"

    @display(description="created")
    def made(self, row: ApiToken) -> str:
        """When."""
        return shown_time(row.created_at)

    @display(description="expires")
    def expires(self, row: ApiToken) -> str:
        """When."""
        return shown_time(row.expires_at) if row.expires_at else "never"

    @display(description="last used")
    def used(self, row: ApiToken) -> str:
        """To within a minute."""
        return shown_time(row.last_used_at) if row.last_used_at else "never"

    @display(description="state")
    def state(self, row: ApiToken) -> str:
        """Whether it is good for anything."""
        why = row.why_invalid(timezone.now())
        if not why:
            return badge("valid", "good")
        return badge("revoked" if row.revoked_at else "expired" if "expired" in why else "inactive")
