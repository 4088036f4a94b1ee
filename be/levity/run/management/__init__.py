"""What `levity` and `manage.py` can be told."""
