"""The WSGI application, for gunicorn: `gunicorn levity.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from levity.run.opening import open_database
from levity.run.web.production import refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
# A WSGI server runs no system checks: what must not be on the internet stops here.
refuse()
application = get_wsgi_application()
# Nor does it migrate: pages of an older release over a newer database would write nonsense.
open_database()
