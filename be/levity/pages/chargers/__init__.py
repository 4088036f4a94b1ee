"""The pages of charge points, sessions, commands and their log."""
