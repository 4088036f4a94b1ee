"""Between a browser and the admin: who is believed, what is refused, how errors are said."""
