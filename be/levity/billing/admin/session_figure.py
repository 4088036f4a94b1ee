"""What a session costs, as a figure on its page."""

from django.http import HttpRequest
from django.utils.translation import gettext

from levity.billing.admin.prices import cost_shown
from levity.billing.models import SessionPrice
from levity.billing.saying import OF_ANOTHER_SITE
from levity.ocpp.models import Transaction
from levity.ocpp.visibility import may_see, visible
from levity.pages.kit.formats import NOTHING, change_link

__all__ = ["cost"]


def cost(request: HttpRequest, session: Transaction) -> list[tuple[str, str, str]]:
    """Its price with who pays, or why it has none; nothing where it was not looked at yet."""
    if not request.user.has_perm("billing.view_sessionprice"):
        return []
    rows = visible(SessionPrice.objects.select_related("version", "household"), request.user)
    row = rows.filter(transaction=session.pk).first()
    if row is None:
        return []
    shown = cost_shown(row)
    note = gettext(row.get_state_display())
    if row.household is not None:
        is_seen = may_see(row.household, request.user)
        note = str(row.household) if is_seen else gettext(OF_ANOTHER_SITE)
    return [(gettext("Cost"), shown or NOTHING, change_link(SessionPrice, row.pk, note))]
