"""The pages for people at /admin/: what the site does now, what it did, and commands to it.

Lists never count a big table to its end, never ask the database once a row, and never show what
a charger wrote as markup.
"""

from django.contrib import admin

from levity.ocpp.admin import (
    certificates,
    charge_points,
    commands,
    connections,
    doctor,
    failed,
    id_tags,
    messages,
    meter_values,
    sites,
    transactions,
    trouble,
)

__all__ = [
    "certificates",
    "charge_points",
    "commands",
    "connections",
    "doctor",
    "failed",
    "id_tags",
    "messages",
    "meter_values",
    "sites",
    "transactions",
    "trouble",
]

# unfold's own templates stand before ours in the search order; this is the site's setting for it.
admin.site.index_template = "ocpp/admin/index.html"
admin.site.index_title = "Overview"
