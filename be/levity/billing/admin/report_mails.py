"""Who gets the reports of each month by mail."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from levity.billing.models import ReportMail
from levity.billing.reports import mails
from levity.ocpp.deciding import Refused
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import NOTHING, badge, excerpt, refusal, said, shown_time
from levity.pages.site import site

__all__ = ["ReportMailAdmin"]

TONES = {
    ReportMail.State.SENT: "good",
    ReportMail.State.SENDING: "busy",
    ReportMail.State.REFUSED: "bad",
    ReportMail.State.UNCLEAR: "warn",
}


class ReportMailForm(forms.ModelForm):
    """An address, and whose figures it gets."""

    class Meta:
        model = ReportMail
        fields = ("address", "site")


@admin.register(ReportMail, site=site)
class ReportMailAdmin(LevityAdmin):
    """Nobody gets any who was not entered here."""

    by_decisions = True
    form = ReportMailForm
    list_display = ("address", "whose", "last", "state_shown", "error_shown")
    list_select_related = ("site",)
    search_fields = ("address",)
    search_help_text = _("Part of an address")
    ordering = ("address", "pk")
    fields = ("address", "site")
    actions = ("send_now",)
    list_before_template = "levity/report_mails_help.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Also somebody of some sites, for those."""
        user: Any = request.user
        return bool(user.has_perm(mails.ADD))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Delete it and enter another."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """From the next month on."""
        mails.subscribe(obj, request.user, timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        mails.unsubscribe(obj, request.user)

    @action(description=_("Send the reports of the month before now"), permissions=["send"])
    def send_now(self, request: HttpRequest, queryset: QuerySet[ReportMail]) -> None:
        """Once more, or for the first time."""
        count = 0
        for row in queryset.select_related("site"):
            try:
                mails.send_last_month(row, request.user, timezone.now())
                count += 1
            except Refused as error:
                messages.error(request, f"{row}: {refusal(error)}")
        if count:
            sent = ngettext(
                "%(count)s mail is sent within half a minute.",
                "%(count)s mails are sent within half a minute.",
                count,
            )
            messages.success(request, sent % {"count": count})

    def has_send_permission(self, request: HttpRequest) -> bool:
        """Who may have the reports sent."""
        user: Any = request.user
        return bool(user.has_perm(mails.CHANGE))

    @display(description=_("site"))
    def whose(self, row: ReportMail) -> str:
        """Whose figures it gets."""
        return str(row.site) if row.site else gettext("all sites")

    @display(description=_("last month sent"))
    def last(self, row: ReportMail) -> str:
        """Of which it got the reports; nothing before the first."""
        return row.last_month if row.ended_at else NOTHING

    @display(description=_("state"))
    def state_shown(self, row: ReportMail) -> str:
        """What became of it, and when."""
        state = ReportMail.State(row.state)
        return badge(gettext(state.label), TONES.get(state, ""))

    @display(description=_("mail server"))
    def error_shown(self, row: ReportMail) -> str:
        """What it said, where it said no."""
        if row.error:
            return excerpt(said(row.error), 120)
        return shown_time(row.ended_at) if row.ended_at else NOTHING
