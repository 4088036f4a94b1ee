"""The REST API (`/api/v1`), its tokens and its documentation.

`kit/` is what all resources share, `v1/` has one module for each resource. django-ninja and
pydantic are imported when the first request comes to /api/: nothing outside `kit` and `v1` may
import them (docs/adr/0034).
"""
