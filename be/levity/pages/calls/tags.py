"""Id tags for the boxes that suggest them, while somebody types."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse

from levity.pages.calls.facts import tags_like

__all__ = ["NAME", "tags_view"]

NAME = "ocpp_chargepoint_tags"
LONGEST = 100


def tags_view(request: HttpRequest) -> JsonResponse:
    """The first of those that this person may see, by a part of their number or owner."""
    if not request.user.has_perm("ocpp.add_command"):
        raise PermissionDenied
    text = request.GET.get("q", "")[:LONGEST].replace("\0", "").strip()
    # A file, as far as a browser is concerned that is led here: never a page.
    headers = {"Content-Disposition": 'attachment; filename="id-tags.json"'}
    return JsonResponse({"tags": tags_like(text, request.user)}, headers=headers)
