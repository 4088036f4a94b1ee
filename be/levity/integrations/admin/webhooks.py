"""The page of webhooks: whom events are sent to, and how it goes; and the page of MQTT."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from levity.integrations import webhooks
from levity.integrations.delivering import delivering
from levity.integrations.models import Delivery, Webhook
from levity.integrations.webhooks import Wishes
from levity.ocpp.deciding import NotPossible, Refused
from levity.ocpp.events import TYPES
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import NOTHING, badge, list_url, shown_time
from levity.pages.site import site
from levity.posting import shown_host

__all__ = ["WebhookAdmin", "WebhookForm"]

VIEW = "integrations.view_webhook"
# The first webhook is noticed within this time; before, nothing takes the turn to deliver.
NOTICED = timedelta(seconds=30)


class WebhookForm(forms.ModelForm):
    """What a person decides."""

    types = forms.MultipleChoiceField(
        choices=[(name, name) for name in TYPES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Only events of these types (docs/events.md). None selected: all.",
    )

    class Meta:
        model = Webhook
        fields = ("name", "url", "enabled", "types", "sites", "may_see_tags")

    def clean(self) -> dict[str, Any]:
        """What can't be is said here."""
        data = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                webhooks.validate(self.wishes())
            except NotPossible as error:
                raise ValidationError(error.sentence) from error
        return data

    def wishes(self) -> Wishes:
        """The webhook as the form has it."""
        data = self.cleaned_data
        return Wishes(
            data["name"],
            data["url"].strip(),
            data["enabled"],
            tuple(data["types"]),
            tuple(data["sites"]),
            data["may_see_tags"],
        )


@admin.register(Webhook, site=site)
class WebhookAdmin(LevityAdmin):
    """Everything that changes one is a decision of `integrations.webhooks`."""

    by_decisions = True
    form = WebhookForm
    list_display = ("name", "state", "receiver", "about", "waiting", "given_up", "last")
    search_fields = ("name",)
    ordering = ("name",)
    autocomplete_fields = ("sites",)
    list_before_template = "integrations/webhooks_help.html"
    change_form_outer_before_template = "integrations/webhook_now.html"
    fields = ("name", "url", "enabled", "types", "sites", "may_see_tags")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An address may contain a token: only for those who may change it."""
        if obj is None or self.has_change_permission(request, obj):
            return self.fields
        return [name for name in self.fields if name != "url"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what waits and what was given up."""
        counted = {
            name: Count("deliveries", filter=Q(deliveries__state=state))
            for name, state in (("count_waiting", "waiting"), ("count_dead", "dead"))
        }
        return super().get_queryset(request).annotate(**counted)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """With a warning if webhooks wait for a process that delivers."""
        more = {"stands_still": _stands_still(timezone.now())}
        return super().changelist_view(request, {**(extra_context or {}), **more})

    def get_urls(self) -> list[URLPattern]:
        """With the decisions that are not fields."""
        own = {
            "test": require_POST(self.test_view),
            "secret": self.secret_view,
            "replay": require_POST(self.replay_view),
        }
        views = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"integrations_webhook_{name}",
            )
            for name, view in own.items()
        ]
        mqtt = self.admin_site.admin_view(self.mqtt_view)
        return [path("mqtt/", mqtt, name="integrations_mqtt"), *views, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Create or change it."""
        if change:
            webhooks.change(obj, form.wishes(), request.user)
            return
        row, secret = webhooks.create(form.wishes(), request.user)
        obj.pk, obj.new_secret = row.pk, secret

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The decision has written the sites already."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """With its deliveries."""
        webhooks.remove(obj, request.user)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, this once."""
        return self._secret_page(request, obj, obj.new_secret, f"Webhook {obj} created")

    def secret_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask; then a new secret, this once."""
        row = self._mine(request, pk)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "opts": Webhook._meta,
                "title": f"Replace the secret of {row}",
                "webhook": row,
                "back": reverse("levity:integrations_webhook_change", args=[pk]),
            }
            return TemplateResponse(request, "integrations/replace_secret.html", context)
        secret = webhooks.rotate(row, request.user)
        return self._secret_page(request, row, secret, f"New secret of {row}")

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send a test now, and say what came of it."""
        row = self._mine(request, pk)
        if why := webhooks.test(row, request.user):
            messages.error(request, f"The test was not taken: {why}")
        else:
            messages.success(request, f"{shown_host(row.url)} has taken the test.")
        return redirect("levity:integrations_webhook_change", pk)

    def replay_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the events of a time again."""
        row = self._mine(request, pk)
        since, until = _moment(request.POST.get("since")), _moment(request.POST.get("until"))
        if since is None or until is None or until <= since:
            messages.error(request, "Enter a beginning and a later end.")
        else:
            try:
                count = webhooks.replay_range(row, since, until, request.user)
                messages.success(request, f"{count:,} events are sent again, with the same ids.")
            except Refused as error:
                messages.error(request, error.sentence)
        return redirect("levity:integrations_webhook_change", pk)

    def mqtt_view(self, request: HttpRequest) -> HttpResponse:
        """Whether the broker is reached, and if not, what to do."""
        user: Any = request.user
        if not user.has_perm(VIEW):
            raise PermissionDenied
        now = timezone.now()
        found = delivering(now)
        context = {
            **self.admin_site.each_context(request),
            "title": "MQTT",
            "content_title": "MQTT",
            "delivering": found,
            "stands_still": _stands_still(now),
            "mqtt": found.mqtt if found else None,
        }
        return TemplateResponse(request, "integrations/mqtt.html", context)

    @display(description="state")
    def state(self, row: Webhook) -> str:
        """How it goes."""
        if not row.enabled:
            return badge("off", "plain")
        if row.failures:
            return badge("failing", "bad")
        return badge("on", "good")

    @display(description="sends to")
    def receiver(self, row: Webhook) -> str:
        """Only the host: the rest may be a secret."""
        return shown_host(row.url)

    @display(description="events")
    def about(self, row: Webhook) -> str:
        """Which."""
        return ", ".join(list(row.types)[:3]) + (" …" if len(row.types) > 3 else "") or "all"

    @display(description="waiting")
    def waiting(self, row: Any) -> str:
        """What is not sent yet."""
        return f"{row.count_waiting:,}"

    @display(description="given up")
    def given_up(self, row: Any) -> str:
        """What the receiver refused for days."""
        return badge(f"{row.count_dead:,}", "bad") if row.count_dead else "0"

    @display(description="last sent")
    def last(self, row: Webhook) -> str:
        """When the receiver last took one."""
        return shown_time(row.sent_at) if row.sent_at else NOTHING

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With how it goes, and a way to its deliveries."""
        row = context.get("original")
        if row is not None:
            context["deliveries_url"] = list_url(Delivery, webhook__id__exact=row.pk)
        return super().render_change_form(request, context, *args, **kwargs)

    def _mine(self, request: HttpRequest, pk: int) -> Webhook:
        row: Webhook = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def _secret_page(
        self, request: HttpRequest, row: Webhook, secret: str, title: str
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": Webhook._meta,
            "title": title,
            "webhook": row,
            "secret": secret,
        }
        response = TemplateResponse(request, "integrations/secret.html", context)
        response["Cache-Control"] = "no-store"
        return response


def _stands_still(now: datetime) -> bool:
    """True if a webhook wants events and no process delivers."""
    wanting = Webhook.objects.filter(enabled=True, created_at__lt=now - NOTICED)
    return wanting.exists() and delivering(now) is None


def _moment(text: str | None) -> datetime | None:
    """What a field for a local time sends."""
    try:
        return timezone.make_aware(datetime.fromisoformat(text or ""))
    except ValueError:
        return None
