"""The pages for people at /admin/."""
