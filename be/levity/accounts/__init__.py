"""The people of a site: their roles, their logins, and the second step of a login."""
