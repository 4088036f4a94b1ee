"""Levity: an OCPP central system. The Django project; `levity.ocpp` is the reusable app."""
