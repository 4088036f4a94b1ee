"""The page of alert rules, with a button that sends a test."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextareaWidget,
)

from levity.monitoring.alerts import rules, webhook
from levity.monitoring.alerts.delivery import send_test
from levity.monitoring.alerts.recipients import of_rule
from levity.monitoring.models import AlertRule, kind_choices
from levity.ocpp.audit import note
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import badge
from levity.pages.site import site

__all__ = ["AlertRuleAdmin", "AlertRuleForm"]


class AlertRuleForm(forms.ModelForm):
    """The secret can be entered but is never shown."""

    kinds = forms.MultipleChoiceField(
        choices=kind_choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Only alerts of these kinds. None selected: all.",
    )
    emails = forms.CharField(
        label="E-mail to",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="E-mail addresses, separated by commas or line breaks.",
    )
    new_secret = forms.CharField(
        label="Webhook secret",
        required=False,
        max_length=200,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=(
            f"Signs the webhook's body (HMAC-SHA256); at least {rules.LEAST_SECRET} characters. It "
            "is never shown again; leave empty to keep the current secret."
        ),
    )

    class Meta:
        model = AlertRule
        exclude = ("webhook_secret",)  # noqa: DJ006  # what is not shown

    def clean_emails(self) -> str:
        """Only addresses."""
        return rules.addresses(self.cleaned_data["emails"])

    def clean_webhook_url(self) -> str:
        """An address that may be called."""
        return rules.address(self.cleaned_data["webhook_url"])

    def clean_new_secret(self) -> str:
        """Long enough that it can't be guessed."""
        return rules.secret(self.cleaned_data["new_secret"])

    def clean(self) -> dict[str, Any]:
        """A rule needs a recipient, and quiet hours need two ends."""
        data = super().clean() or self.cleaned_data
        if not self.errors:
            rules.check_whole(
                data["emails"], data["webhook_url"], data["quiet_from"], data["quiet_until"]
            )
        return data

    def save(self, commit: bool = True) -> Any:
        """With the new secret, if one was entered."""
        if secret := self.cleaned_data["new_secret"]:
            self.instance.keep_secret(secret)
        return super().save(commit)


@admin.register(AlertRule, site=site)
class AlertRuleAdmin(LevityAdmin):
    """Rules in addition to the one of the environment (LEVITY_ALERT_EMAIL)."""

    form = AlertRuleForm
    list_display = ("name", "in_force", "site", "about", "targets", "quiet")
    list_select_related = ("site",)
    search_fields = ("name",)
    ordering = ("name",)
    list_before_template = "monitoring/rules_help.html"
    change_form_outer_before_template = "monitoring/rule_test.html"
    fields = (
        "name",
        "enabled",
        "site",
        "least_severity",
        "kinds",
        "emails",
        "webhook_url",
        "new_secret",
        ("quiet_from", "quiet_until"),
        "send_recovered",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A webhook's address may contain a token: only for users who may change it."""
        if self.has_change_permission(request, obj):
            return self.fields
        return [name for name in self.fields if name not in ("webhook_url", "new_secret")]

    def get_urls(self) -> list[URLPattern]:
        """With the test."""
        view = self.admin_site.admin_view(require_POST(self.test_view))
        test = path("<int:rule_id>/test/", view, name="operation_alertrule_test")
        return [test, *super().get_urls()]

    def test_view(self, request: HttpRequest, rule_id: int) -> HttpResponse:
        """Send a test alert now, and report the result."""
        rule = get_object_or_404(self.get_queryset(request), pk=rule_id)
        if not self.has_change_permission(request, rule):
            raise PermissionDenied
        for channel, target, why in send_test(of_rule(rule)):
            shown = target if channel == "email" else webhook.shown_host(target)
            if why:
                messages.error(request, f"{shown}: {why}")
            else:
                messages.success(request, f"A test alert was sent to {shown}.")
        note(request.user, [rule], "test alert sent")
        return redirect("levity:operation_alertrule_change", rule.pk)

    @display(description="in force")
    def in_force(self, rule: AlertRule) -> str:
        """Whether the rule is active."""
        return badge("on", "good") if rule.enabled else badge("off", "plain")

    @display(description="about")
    def about(self, rule: AlertRule) -> str:
        """Which alerts."""
        names = dict(kind_choices())
        kinds = ", ".join(names[kind] for kind in rule.kinds if kind in names) or "everything"
        return f"{kinds} (critical only)" if rule.least_severity == "critical" else kinds

    @display(description="tells")
    def targets(self, rule: AlertRule) -> str:
        """The recipients; of a webhook only the host, because its address may contain a token."""
        shown = [*rule.emails.split()]
        if rule.webhook_url:
            shown.append(webhook.shown_host(rule.webhook_url))
        return format_html_join(", ", "{}", ((item,) for item in shown))

    @display(description="quiet hours")
    def quiet(self, rule: AlertRule) -> str:
        """When only critical alerts are sent."""
        if rule.quiet_from is None or rule.quiet_until is None:
            return "none"
        return f"{rule.quiet_from:%H:%M} to {rule.quiet_until:%H:%M}"
