"""The WSGI application, for gunicorn: `gunicorn levity.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from levity.web.production import refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
# A WSGI server runs no system checks: what must not be on the internet stops here.
refuse()
application = get_wsgi_application()
