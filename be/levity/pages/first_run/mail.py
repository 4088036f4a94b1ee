"""Through which server mails go, and whether they do."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from levity.mailing import enter_server, has_server, known_server, send_test, sender
from levity.ocpp.deciding import Refused

__all__ = ["answer", "is_done", "shown"]


_SAID = {
    "smtps": _("TLS (usually port 465)"),
    "smtp+tls": _("STARTTLS (usually port 587)"),
    "smtp": _("none (usually port 25): only within this computer or network"),
}


class ServerForm(forms.Form):
    """What the provider of the mailbox says of its SMTP server."""

    host = forms.CharField(
        label=_("Mail server"),
        max_length=253,
        help_text=_("The name of the SMTP server, such as mail.example.net."),
        widget=UnfoldAdminTextInputWidget,
    )
    encryption = forms.ChoiceField(
        label=_("Encryption"), choices=list(_SAID.items()), widget=UnfoldAdminSelectWidget
    )
    port = forms.IntegerField(
        label=_("Port"),
        required=False,
        min_value=1,
        max_value=65_535,
        help_text=_("Empty: the usual one."),
        widget=UnfoldAdminIntegerFieldWidget,
    )
    user = forms.CharField(
        label=_("User name"), required=False, max_length=254, widget=UnfoldAdminTextInputWidget
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        max_length=500,
        strip=False,
        help_text=_("It is stored encrypted. Empty: the one that is stored, if there is one."),
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
    sender = forms.EmailField(
        label=_("Sender"),
        help_text=_("The address that mails come from."),
        widget=UnfoldAdminTextInputWidget,
    )


def is_done() -> bool:
    """There is one."""
    return has_server()


def shown(request: HttpRequest) -> dict[str, Any]:
    """What was entered, without the password."""
    known = known_server()
    initial = {"sender": sender() if known else ""}
    if known:
        scheme = "smtps" if known["EMAIL_USE_SSL"] else "smtp"
        initial |= {
            "host": known["EMAIL_HOST"],
            "encryption": "smtp+tls" if known["EMAIL_USE_TLS"] else scheme,
            "port": known["EMAIL_PORT"],
            "user": known["EMAIL_HOST_USER"],
        }
    return _with(request, ServerForm(initial=initial))


def answer(request: HttpRequest) -> dict[str, Any] | None:
    """Keep it, or (`test`) send a mail through the one that is kept."""
    if "test" in request.POST:
        return _tested(request)
    if settings.EMAIL_HOST:
        return None
    form = ServerForm(request.POST)
    if not form.is_valid():
        return _with(request, form)
    given = form.cleaned_data
    known = known_server()
    # The password goes to the server that it was entered for, and to no other.
    same = known and (known["EMAIL_HOST"], known["EMAIL_HOST_USER"]) == (
        given["host"],
        given["user"],
    )
    if not given["password"] and same:
        given["password"] = known["EMAIL_HOST_PASSWORD"]
    enter_server(given, request.user)
    messages.success(request, gettext("The mail server is stored. Send a test mail now."))
    return shown(request)


def _tested(request: HttpRequest) -> dict[str, Any]:
    address = request.POST.get("address", "").strip()
    try:
        send_test(
            address,
            gettext("Test of Levity's mail server"),
            gettext("This is a test: Levity's mails reach you here.") + "\n",
        )
    except Refused as error:
        messages.error(request, error.sentence)
    else:
        said = gettext("A test mail was sent to %(address)s. Look whether it arrives.")
        messages.success(request, said % {"address": address})
    return shown(request)


def _with(request: HttpRequest, form: ServerForm) -> dict[str, Any]:
    return {
        "form": form,
        "set_outside": bool(settings.EMAIL_HOST),
        "has_server": has_server(),
        "sender": sender(),
        "test_to": getattr(request.user, "email", ""),
    }
