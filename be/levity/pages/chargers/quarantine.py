"""The buttons below a quarantined message: attach, make a transaction, discard, take it back.

GET shows what would happen and asks; POST (with CSRF token and permission) does it and writes who
did it into the log of the admin.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from unfold.widgets import UnfoldAdminTextInputWidget

from levity.ocpp.deciding import Refused
from levity.ocpp.decisions import quarantine, quarantined_message
from levity.ocpp.decisions.quarantined_message import CannotResolve, Session
from levity.ocpp.effects import StopTransaction
from levity.ocpp.models import QuarantinedMessage, Transaction, UnassignedEnergy
from levity.ocpp.rules.checks import AGREES, CONTRADICTS, SILENT, Check
from levity.ocpp.store.late_samples import transaction_state
from levity.ocpp.versions import V16
from levity.ocpp.visibility import visible
from levity.pages.chargers.frame_text import pretty_frame
from levity.pages.chargers.how_sure import check_lines
from levity.pages.kit.formats import (
    NOTHING,
    badge,
    change_link,
    kwh,
    list_url,
    payer,
    shown_time,
    site_zone,
)
from levity.pages.kit.once import sent_once
from levity_ws.frozen import frozen

__all__ = ["QuarantineDecisions"]

TIME = "%Y-%m-%dT%H:%M:%S%z"


class AttachForm(forms.Form):
    """To which transaction."""

    transaction = forms.IntegerField(
        min_value=1, widget=UnfoldAdminTextInputWidget, help_text="The transaction's number."
    )


class MakeForm(forms.Form):
    """What the messages don't tell of a session."""

    connector = forms.IntegerField(min_value=1, max_value=1000, widget=UnfoldAdminTextInputWidget)
    id_tag = forms.CharField(
        label="Id tag", max_length=255, required=False, widget=UnfoldAdminTextInputWidget
    )
    started_at = forms.DateTimeField(
        label="Started",
        input_formats=[TIME],
        widget=UnfoldAdminTextInputWidget,
        help_text="With the offset from UTC, such as 2026-11-22T14:05:00+01:00.",
    )
    meter_start = forms.DecimalField(
        label="Meter at start",
        max_digits=15,
        decimal_places=3,
        widget=UnfoldAdminTextInputWidget,
        help_text="The meter register in Wh.",
    )


class DiscardForm(forms.Form):
    """Why it belongs to no session."""

    note = forms.CharField(label="Why", max_length=240, widget=UnfoldAdminTextInputWidget)


def _attach(item: QuarantinedMessage, values: dict[str, Any], user: Any) -> None:
    rows = Transaction.objects.filter(pk=values["transaction"])
    found = visible(rows, user).first()
    if found is None:
        raise CannotResolve(f"transaction {values['transaction']} does not exist")
    quarantine.attach(item, found, user)


def _make(item: QuarantinedMessage, values: dict[str, Any], user: Any) -> None:
    stop = next(iter(quarantined_message.stops_of(item)), None)
    quarantine.make_transaction(item, user, Session(**values), stop)


def _discard(item: QuarantinedMessage, values: dict[str, Any], user: Any) -> None:
    quarantine.discard(item, user, values["note"])


def _undo(item: QuarantinedMessage, values: dict[str, Any], user: Any) -> None:
    quarantine.undo(item, user)


@frozen
class Decision:
    """A button: what it says, what it asks, what it does."""

    title: str
    explanation: str
    form: type[forms.Form]
    decide: Callable[[QuarantinedMessage, dict[str, Any], Any], None]
    is_dangerous: bool = False


DECISIONS = {
    "attach": Decision(
        "Attach to a transaction",
        "A StopTransaction ends the transaction with its own time and meter value and replaces "
        "any end recorded so far; MeterValues are added to it.",
        AttachForm,
        _attach,
    ),
    "make": Decision(
        "Create a transaction",
        "Creates a session from this message and what you add. It uses the id that the charger "
        "was given and includes its StopTransaction if that is in quarantine, too.",
        MakeForm,
        _make,
    ),
    "discard": Decision(
        "Discard",
        "The message belongs to no session. It stays here, with your reason.",
        DiscardForm,
        _discard,
        is_dangerous=True,
    ),
    "undo": Decision(
        "Undo the decision",
        "The transaction is restored to its former state, and the message is open again.",
        forms.Form,
        _undo,
        is_dangerous=True,
    ),
}


class QuarantineDecisions:
    """For the admin of quarantined messages: the buttons, and the pages behind them."""

    change_form_outer_after_template = "levity/quarantine_now.html"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What was decided with a button is taken back with a button."""
        fixed = super().get_readonly_fields(request, obj)  # type: ignore[misc]  # a mixin
        return (*fixed, "resolution") if obj is not None and obj.undo else fixed

    def get_urls(self) -> list[URLPattern]:
        """Each decision has its page."""
        page = path(
            "<int:pk>/decide/<slug:kind>/",
            self.admin_site.admin_view(self.decide_view),  # type: ignore[attr-defined]  # a mixin
            name="ocpp_quarantinedmessage_decide",
        )
        return [page, *super().get_urls()]  # type: ignore[misc]  # a mixin

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The message with its buttons and the transactions that it may belong to."""
        extra = dict(extra_context or {})
        item = self.get_object(request, object_id)  # type: ignore[attr-defined]  # a mixin
        if item is not None and _may(request):
            extra |= _now(item)
            extra["unassigned"] = _unassigned(item, request)
        return super().change_view(  # type: ignore[misc]  # a mixin
            request, object_id, form_url, extra
        )

    @method_decorator(sent_once)
    def decide_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """The question, and its answer."""
        if not _may(request):
            raise PermissionDenied
        if kind not in DECISIONS:
            raise Http404(f"nothing is called {kind}")
        rows = visible(QuarantinedMessage.objects.select_related("charge_point"), request.user)
        item = get_object_or_404(rows, pk=pk)
        decision = DECISIONS[kind]
        if request.method != "POST":
            return self._ask(
                request, item, decision, decision.form(initial=_initial(item, kind, request))
            )
        form = decision.form(request.POST)
        if form.is_valid():
            try:
                decision.decide(item, form.cleaned_data, request.user)
            except Refused as error:
                form.add_error(None, error.sentence)
            else:
                messages.success(request, f"{decision.title}: done.")
                return redirect("levity:ocpp_quarantinedmessage_change", item.pk)
        return self._ask(request, item, decision, form)

    def _ask(
        self, request: HttpRequest, item: QuarantinedMessage, decision: Decision, form: forms.Form
    ) -> HttpResponse:
        site = self.admin_site  # type: ignore[attr-defined]  # a mixin
        context = {
            **site.each_context(request),
            "opts": QuarantinedMessage._meta,
            "title": decision.title,
            "decision": decision,
            "form": form,
            "item": item,
            "payload": pretty_frame(item.payload),
            "chosen": _chosen(item, form),
        }
        return TemplateResponse(request, "levity/quarantine_decide.html", context)


def _may(request: HttpRequest) -> bool:
    user: Any = request.user
    return bool(user.has_perm("ocpp.change_quarantinedmessage"))


def _initial(item: QuarantinedMessage, kind: str, request: HttpRequest) -> dict[str, Any]:
    if kind == "attach":
        return {"transaction": request.GET.get("transaction", "")}
    if kind != "make":
        return {}
    known = quarantined_message.proposal(item)
    started = None
    if known.started_at is not None:
        started = timezone.localtime(known.started_at, site_zone(item)).isoformat("T", "seconds")
    return {
        "connector": known.connector,
        "id_tag": known.id_tag,
        "started_at": started,
        "meter_start": known.meter_start,
    }


def _now(item: QuarantinedMessage) -> dict[str, Any]:
    address = "levity:ocpp_quarantinedmessage_decide"
    if item.resolved_at is not None:
        kinds = ["undo"] if item.undo else []
        rows: list[dict[str, Any]] = []
    else:
        made_of = item.action in (V16.begins, V16.ends)
        kinds = (["make"] if made_of else []) + ["discard"]
        attached = item.action != V16.begins
        if attached:
            kinds.insert(0, "attach")
        rows = list(_candidates(item, attached=attached))
    return {
        "decisions": [(DECISIONS[kind], reverse(address, args=[item.pk, kind])) for kind in kinds],
        "candidates": rows,
        "none_fits": bool(rows) and not any(row["fits"] for row in rows),
        "is_open": item.resolved_at is None,
        "attached_to": _attached_to(item),
    }


def _unassigned(item: QuarantinedMessage, request: HttpRequest) -> str:
    """Where energy of this charge point that lies in no session is listed, and can be given to
    somebody; empty for people who may not see it."""
    user: Any = request.user
    if not user.has_perm("ocpp.view_unassignedenergy"):
        return ""
    return list_url(UnassignedEnergy, charge_point__id__exact=item.charge_point_id)


def _attached_to(item: QuarantinedMessage) -> str:
    """A link to the session that a person gave the message to; empty if there is none."""
    pk = item.resolved_to_id
    return "" if pk is None else change_link(Transaction, pk, f"#{pk}")


def _candidates(item: QuarantinedMessage, *, attached: bool) -> Iterator[dict[str, Any]]:
    """The sessions that may be meant, the likeliest first, each with what speaks for it and
    against it; at most one is marked."""
    zone = site_zone(item)
    attach = reverse("levity:ocpp_quarantinedmessage_decide", args=[item.pk, "attach"])
    for place, (found, checks) in enumerate(quarantined_message.candidates(item)):
        fits = _fits(checks)
        yield {
            "pk": found.pk,
            "number": change_link(Transaction, found.pk, f"#{found.pk}"),
            "connector": found.connector or NOTHING,
            "id_tag": payer(found.id_tag, 24),
            "started": shown_time(found.started_at, zone),
            "stopped": shown_time(found.stopped_at, zone),
            "energy": kwh(found.energy),
            "state": badge(found.state),
            "fits": fits,
            "is_first": place == 0 and fits,
            "checks": check_lines(_telling(checks), zone),
            "attach": f"{attach}?transaction={found.pk}" if attached else "",
        }


def _fits(checks: Sequence[Check]) -> bool:
    verdicts = {check.verdict for check in checks}
    return CONTRADICTS not in verdicts and AGREES in verdicts


def _telling(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Without those that say nothing and not even why."""
    return tuple(check for check in checks if check.detail or check.verdict != SILENT)


def _chosen(item: QuarantinedMessage, form: forms.Form) -> dict[str, Any]:
    """What is known of the session that a person is about to attach the message to: how it fits,
    and what it would come to."""
    if "transaction" not in form.fields or item.resolved_at is not None:
        return {}
    number = form["transaction"].value()
    for found, checks in quarantined_message.candidates(item):
        if str(found.pk) != str(number):
            continue
        return {
            "number": change_link(Transaction, found.pk, f"#{found.pk}"),
            "checks": check_lines(_telling(checks), site_zone(item)),
            "fits": _fits(checks),
            "result": _result(item, found),
        }
    return {}


def _result(item: QuarantinedMessage, found: Transaction) -> str:
    """The figures with which the session would end; empty where the message ends nothing."""
    try:
        effects = quarantined_message.effects_of(item, transaction_state(found))
    except CannotResolve:
        return ""
    for effect in effects:
        if isinstance(effect, StopTransaction) and effect.transaction_id == found.pk:
            sure = f", {effect.confidence} confidence" if effect.confidence else ""
            return f"{kwh(effect.energy)}{sure}"
    return ""
