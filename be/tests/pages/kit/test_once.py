"""What a form that is sent twice says."""

from typing import Any

import pytest
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.test import RequestFactory

from levity.pages.kit.once import sent_once

pytestmark = pytest.mark.django_db


@sent_once
def saves(request: HttpRequest) -> HttpResponse:
    """A view whose work is done, and which says so."""
    messages.success(request, f"Saved {request.POST['name']}.")
    return redirect("/done/")


class Browser:
    """Keeps the cookies of all answers, also of those that it does not show."""

    def __init__(self) -> None:
        self.user = User.objects.create_user("anna")
        self.cookies: dict[str, str] = {}

    def sends(self, name: str, once: str) -> None:
        """The form; it leads where the view leads."""
        request: Any = RequestFactory().post("/form/", {"name": name, "once": once})
        request.user, request.COOKIES = self.user, self.cookies
        request._messages = CookieStorage(request)
        answer = saves(request)
        assert (answer.status_code, answer["Location"]) == (302, "/done/")
        request._messages.update(answer)
        self.cookies = {name: each.value for name, each in answer.cookies.items()} or self.cookies

    @property
    def shows(self) -> list[str]:
        """What the next page will say."""
        request: Any = RequestFactory().get("/done/")
        request.COOKIES = self.cookies
        return [str(each) for each in CookieStorage(request)]


def test_two_clicks_are_told_once() -> None:
    browser = Browser()
    for _ in range(3):
        browser.sends("A", "key of A")
    assert browser.shows == ["Saved A."]


def test_a_form_does_not_repeat_what_other_forms_said() -> None:
    """A hundred clicks that nobody read made a hundred thousand messages."""
    browser = Browser()
    browser.sends("A", "key of A")
    browser.sends("B", "key of B")
    assert browser.shows == ["Saved A.", "Saved B."]
    browser.cookies = {}
    browser.sends("B", "key of B")
    assert browser.shows == ["Saved B."]
