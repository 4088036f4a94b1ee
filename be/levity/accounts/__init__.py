"""The users of an installation: their roles, their logins, and two-factor login."""
