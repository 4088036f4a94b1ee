"""Tariffs: what sessions cost, in versions, and for whom each is."""

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from levity.billing.admin.replay import ReplayPages
from levity.billing.admin.tariff_form import TariffForm
from levity.billing.models import Tariff, TariffUse, TariffVersion
from levity.billing.plain import values_of
from levity.billing.saying import summary
from levity.billing.tariff_uses import add_use, change_use, delete_use
from levity.billing.tariffs import add_tariff, add_version
from levity.days import DAY, month_of
from levity.ocpp.deciding import Refused
from levity.ocpp.visibility import is_limited, visible
from levity.pages.kit.base import LevityAdmin
from levity.pages.kit.formats import NOTHING, refusal, words
from levity.pages.kit.forms import errors_said
from levity.pages.site import site

__all__ = ["TariffAdmin", "TariffUseAdmin"]

SHOWN = 100


@admin.register(Tariff, site=site)
class TariffAdmin(ReplayPages):
    """What sessions cost."""

    list_display = ("name", "prices", "used_for")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "site")
    readonly_fields = ("name", "site")
    list_before_template = "levity/tariffs_before.html"
    change_form_outer_before_template = "levity/tariff_now.html"

    def get_urls(self) -> list[URLPattern]:
        """With the form of a version."""
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/version/", view(self.version_view), name="billing_tariff_version"),
            path("<int:pk>/ocpi.json", view(self.ocpi_view), name="billing_tariff_ocpi"),
            *self.replay_urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tariff]:
        """With what each says."""
        return super().get_queryset(request).prefetch_related("versions", _uses(request.user))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for users of some sites only: a tariff may be good at others as well."""
        return super().has_change_permission(request, obj) and not is_limited(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: sessions point to its versions."""
        return False

    @display(description=_("prices now"))
    def prices(self, row: Tariff) -> str:
        """Of the version that holds."""
        now = timezone.now()
        held = [version for version in row.versions.all() if version.begins <= now]
        return words(summary(held[0].document)) if held else NOTHING

    @display(description=_("used for"))
    def used_for(self, row: Tariff) -> str:
        """Whom it is for."""
        return words(", ".join(whom_shown(use) for use in row.uses.all()[:SHOWN])) or NOTHING

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The plain form of its first version."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        day = timezone.localdate()
        if not Tariff.objects.exists():
            # The first one is for the month that is billed next: the one before.
            day, _last = month_of(day.replace(day=1) - DAY)
        initial = {"begins": f"{day}T00:00", "time_zone": timezone.get_current_timezone()}
        return self._form(request, None, initial, [])

    def version_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The same form, with what the newest version says."""
        row = get_object_or_404(visible(Tariff.objects.filter(pk=pk), request.user))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        newest = row.versions.order_by("-number").first()
        document = newest.document if newest else {}
        initial = values_of(document)
        if initial is None:
            initial = {"document": json.dumps(document, indent=2, ensure_ascii=False)}
        return self._form(
            request,
            row,
            {**initial, "begins": _shown(timezone.now())},
            list(document.get("holidays", ())),
        )

    def ocpi_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The newest version as an OCPI tariff, to keep."""
        # Pydantic is loaded when a document is read, not at the start of a program (ADR 37).
        from levity.billing.ocpi_documents import CannotSay, in_ocpi

        row = get_object_or_404(visible(Tariff.objects.filter(pk=pk), request.user))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        try:
            said = in_ocpi(row)
        except CannotSay as error:
            messages.error(request, f"{error}.")
            return redirect("levity:billing_tariff_change", pk)
        name = f'attachment; filename="tariff-{pk}.json"'
        return JsonResponse(
            said, json_dumps_params={"indent": 2}, headers={"Content-Disposition": name}
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        """Its versions, and what each says."""
        row = self.get_object(request, object_id)
        versions = list(row.versions.all()[:SHOWN]) if row else []
        extra = {
            "versions": [_version(each) for each in versions],
            "uses": [
                {"whom": whom_shown(use), "first_day": use.first_day, "last_day": use.last_day}
                for use in _uses_seen(request.user).filter(tariff=row)[:SHOWN]
            ],
            "may_change": self.has_change_permission(request),
            "show_save": False,
            "show_save_and_continue": False,
            "show_save_and_add_another": False,
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, extra)

    def _form(
        self,
        request: HttpRequest,
        row: Tariff | None,
        initial: dict[str, Any],
        holidays: list[str],
    ) -> HttpResponse:
        form = TariffForm(
            request.POST or None,
            initial=initial,
            zone=timezone.get_current_timezone(),
            holidays=holidays,
            is_new=row is None,
        )
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                if row is None:
                    row = add_tariff(
                        given["name"], given["document"], given["begins"], request.user
                    )
                    messages.success(
                        request,
                        gettext("%(tariff)s was added. Say for whom it is.") % {"tariff": row},
                    )
                else:
                    version = add_version(
                        row, given["document"], given["begins"], request.user, given["note"]
                    )
                    messages.success(
                        request, gettext("%(version)s was added.") % {"version": version}
                    )
                return redirect("levity:billing_tariff_change", row.pk)
            except (ValidationError, Refused) as error:
                form.add_error(
                    None, refusal(error) if isinstance(error, Refused) else errors_said(error)
                )
        context = {
            **self.admin_site.each_context(request),
            "opts": Tariff._meta,
            "title": _("New tariff")
            if row is None
            else gettext("New version of %(tariff)s") % {"tariff": row},
            "form": form,
            "media": form.media,
            "back": reverse("levity:billing_tariff_change", args=[row.pk])
            if row
            else reverse("levity:billing_tariff_changelist"),
        }
        return TemplateResponse(request, "levity/tariff_form.html", context)


USED = ("site", "charge_point", "household", "tariff")


@admin.register(TariffUse, site=site)
class TariffUseAdmin(LevityAdmin):
    """Which tariff is for whom."""

    by_decisions = True
    list_display = ("whom_shown", "tariff_shown", "first_day", "last_day")
    list_before_template = "levity/tariff_uses_before.html"
    autocomplete_fields = ("charge_point", "household", "site")
    fields = ("tariff", "site", "charge_point", "household", "id_tag", "first_day", "last_day")
    search_fields = ("id_tag", "tariff__name", "household__name", "charge_point__identity")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TariffUse]:
        """With what they name."""
        return super().get_queryset(request).select_related(*USED)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not for users of some sites only."""
        return super().has_change_permission(request, obj) and not is_limited(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As above."""
        return super().has_delete_permission(request, obj) and not is_limited(request.user)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As the API does it."""
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            change_use(obj, changed, request.user)
        else:
            add_use(obj, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """One, from its page."""
        delete_use(obj, request.user)

    @display(description=_("for"), ordering="pk")
    def whom_shown(self, row: TariffUse) -> str:
        """Whom it is for."""
        return words(whom_shown(row))

    @display(description=_("tariff"), ordering="tariff__name")
    def tariff_shown(self, row: TariffUse) -> str:
        """Its name; none: free."""
        return words(str(row.tariff or gettext("free: nobody pays")))


def whom_shown(row: TariffUse) -> str:
    """Whom it is for."""
    return row.whom.in_words(gettext)


def _uses(user: Any) -> Any:
    return Prefetch("uses", _uses_seen(user))


def _uses_seen(user: Any) -> QuerySet[TariffUse]:
    """They name households and cards, which may be of other sites than the tariff."""
    return visible(TariffUse.objects.select_related(*USED), user)


def _shown(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%dT00:00}"


def _version(row: TariffVersion) -> dict[str, Any]:
    return {
        "number": row.number,
        "begins": row.begins,
        "says": summary(row.document),
        "note": row.note,
        "by": row.created_by or gettext("command line"),
        "json": json.dumps(row.document, indent=2, ensure_ascii=False),
    }
