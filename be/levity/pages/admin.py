"""The pages for people at /admin/: what the site does now, what it did, and commands to it.

Lists never count a big table to its end, never ask the database once a row, and never show what
a charger wrote as markup.
"""

from django.contrib import admin

from levity.pages.chargers import (
    certificates,
    charge_points,
    commands,
    connections,
    failed_messages,
    id_tags,
    messages,
    meter_values,
    refused_handshakes,
    sites,
    transactions,
    trouble,
)

__all__ = [
    "certificates",
    "charge_points",
    "commands",
    "connections",
    "failed_messages",
    "id_tags",
    "messages",
    "meter_values",
    "refused_handshakes",
    "sites",
    "transactions",
    "trouble",
]

# unfold's own templates stand before ours in the search order; this is the site's setting for it.
admin.site.index_template = "levity/index.html"
admin.site.index_title = "Overview"
