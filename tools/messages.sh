#!/bin/sh
# make messages: find the texts of the pages anew, for those who translate (needs gettext).
set -e
export SECRET_KEY=of-no-value-of-no-value-of-no-value-of-no-value-of-no-value
for app in billing ocpp pages; do
    (
        cd "be/levity/$app"
        "$1/python" -m levity makemessages -l de -l fr -l nl --no-location --no-wrap --no-obsolete
        # The time of day would be a change of each run, and not every gettext adds the other.
        sed -i '/^"POT-Creation-Date/d; /^"Report-Msgid-Bugs-To/d' locale/*/LC_MESSAGES/django.po
        "$1/python" -m levity compilemessages
    )
done
