"""Statements by mail: what they say, who gets one, sending them, and what became of each."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from levity.billing.admin.statement_rows import days_shown
from levity.billing.models import Statement, StatementMail, StatementRun
from levity.billing.statements.letters import letter
from levity.billing.statements.mails import (
    SEND,
    order,
    order_again,
    send_test,
    to_print,
    to_send,
)
from levity.mailing import has_server, sender
from levity.ocpp.deciding import Refused
from levity.pages.kit import live
from levity.pages.kit.base import ReadOnlyAdmin
from levity.pages.kit.formats import change_link, refusal, said, shown_time
from levity.pages.kit.words import NO_SERVER

__all__ = ["RunMails", "StatementMails", "mails_of"]

MOST = 1_000
BUSY_EVERY = 2.0
State = StatementMail.State


class SureForm(forms.Form):
    """That it is meant."""

    sure = forms.BooleanField(error_messages={"required": _("Tick the box if you mean it.")})


class AgainForm(SureForm):
    """And how many mails this person has seen."""

    known = forms.IntegerField(min_value=0, max_value=100_000)


class RunMails(ReadOnlyAdmin):
    """For the admin of runs."""

    def mail_urls(self) -> list[URLPattern]:
        """The page of a run."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/mail/", view(self.mail_view), name="billing_statementrun_mail"),
            path("<int:pk>/mail/test/", view(self.test_view), name="billing_statementrun_test"),
        ]

    def mail_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Look; POST sends."""
        run = self._run(request, pk)
        here = redirect("levity:billing_statementrun_mail", run.pk)
        if request.method == "POST":
            form = SureForm(request.POST)
            if not form.is_valid():
                messages.error(request, _("Tick the box if you mean it: nothing was sent."))
                return here
            try:
                count = order(run, request.user, timezone.now())
            except Refused as error:
                messages.error(request, refusal(error))
                return here
            if count:
                said = ngettext(
                    "%(count)s mail will be sent.",
                    "%(count)s mails will be sent, a few in a second.",
                    count,
                )
                messages.success(request, said % {"count": count})
            else:
                messages.info(request, _("There is nothing to send."))
            return here
        context = {
            **self.admin_site.each_context(request),
            **_progress(run),
            "opts": StatementRun._meta,
            "title": gettext("Send by mail: %(run)s") % {"run": days_shown(run)},
            "run": run,
            "to_send": to_send(run).count(),
            "to_print": list(to_print(run)[:MOST]),
            "to_print_more": max(0, to_print(run).count() - MOST),
            "previews": _previews(run),
            "may_send": request.user.has_perm(SEND),
            "no_server": "" if has_server() else gettext(NO_SERVER),
            "sender": sender(),
            "test_to": getattr(request.user, "email", ""),
        }
        if live.wants_changes(request):
            part = live.rendered("levity/run_mails_live.html", context, request)
            return live.changed_page(request, {"lv-mails": part}, every=context["live_every"])
        return TemplateResponse(request, "levity/run_mails.html", context)

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A test mail, at once."""
        run = self._run(request, pk)
        if request.method == "POST":
            address = request.POST.get("address", "").strip()
            try:
                send_test(address, request.user)
                said = gettext("A test mail was sent to %(address)s.")
                messages.success(request, said % {"address": address})
            except Refused as error:
                messages.error(request, refusal(error))
        return redirect("levity:billing_statementrun_mail", run.pk)

    def _run(self, request: HttpRequest, pk: int) -> StatementRun:
        run: StatementRun = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        return run


class StatementMails(ReadOnlyAdmin):
    """For the admin of statements."""

    def mail_urls(self) -> list[URLPattern]:
        """The page that sends one."""
        view = self.admin_site.admin_view
        return [path("<int:pk>/mail/", view(self.mail_view), name="billing_statement_mail")]

    def mail_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What it says, and what became of it; POST sends it (again)."""
        row: Statement = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if request.method == "POST":
            form = AgainForm(request.POST)
            try:
                if form.is_valid():
                    known = form.cleaned_data["known"]
                    mail = order_again(row, request.user, timezone.now(), known=known)
                    said = gettext("It will be sent to %(address)s.")
                    messages.success(request, said % {"address": mail.address})
                else:
                    messages.error(request, _("Tick the box if you mean it: nothing was sent."))
            except Refused as error:
                messages.error(request, refusal(error))
            return redirect("levity:billing_statement_mail", row.pk)
        subject, body = letter(row.document)
        mails = mails_of(row)
        context = {
            **self.admin_site.each_context(request),
            "opts": Statement._meta,
            "title": gettext("Send %(number)s by mail") % {"number": row.label},
            "statement": row,
            "household": change_link(type(row.household), row.household_id, str(row.household)),
            "previews": [(subject, body)],
            "mails": mails,
            "known": StatementMail.objects.filter(statement=row).count(),
            "is_on_its_way": any(mail["is_open"] for mail in mails),
            "may_send": request.user.has_perm(SEND),
            "no_server": "" if has_server() else gettext(NO_SERVER),
        }
        return TemplateResponse(request, "levity/statement_mail.html", context)


def mails_of(row: Statement) -> list[dict[str, Any]]:
    """Each mail of a statement, the newest first."""
    rows = StatementMail.objects.filter(statement=row).order_by("-pk")
    return [_mail_row(mail) for mail in rows[:50]]


def _mail_row(mail: StatementMail) -> dict[str, Any]:
    return {
        "address": mail.address,
        "state": gettext(mail.get_state_display()),
        "tone": {State.SENT: "good", State.REFUSED: "bad", State.UNCLEAR: "warn"}.get(
            State(mail.state), ""
        ),
        "is_open": mail.state in (State.QUEUED, State.SENDING),
        "asked": shown_time(mail.asked_at),
        "asked_by": mail.asked_by,
        "at": shown_time(mail.ended_at or mail.not_before),
        "error": said(mail.error),
    }


def _progress(run: StatementRun) -> dict[str, Any]:
    """The last mail of each statement, and how many are in each state."""
    newest = (
        StatementMail.objects.filter(statement__run=run)
        .order_by()
        .values("statement")
        .annotate(newest=Max("pk"))
        .values("newest")
    )
    rows = StatementMail.objects.filter(pk__in=newest)
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    shown = rows.select_related("statement__household").defer("statement__document")
    total = sum(counts.values())
    still = counts.get(State.QUEUED, 0) + counts.get(State.SENDING, 0)
    return {
        "mails": [
            {
                **_mail_row(mail),
                "number": change_link(Statement, mail.statement_id, mail.statement.label),
                "household": str(mail.statement.household),
                "again": reverse("levity:billing_statement_mail", args=[mail.statement_id]),
            }
            for mail in shown.order_by("statement_id")[:MOST]
        ],
        "counts": [
            (counts[state], gettext(str(label)))
            for state, label in State.choices
            if state in counts
        ],
        "mails_more": max(0, total - MOST),
        "total": total,
        "still": still,
        "percent": 100 * (total - still) // total if total else 0,
        "live_every": BUSY_EVERY if still else live.EVERY,
        "live_now": live.now_of_browsers(),
    }


def _previews(run: StatementRun) -> list[tuple[str, str]]:
    """The first of each language that is among them."""
    firsts = run.statements.order_by().values("document__language").annotate(first=Min("pk"))
    keys = [row["first"] for row in firsts]
    return [letter(row.document) for row in run.statements.filter(pk__in=keys).order_by("pk")]
