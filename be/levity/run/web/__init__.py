"""Between a browser and the admin pages: which headers are believed, what is refused, how errors
are shown."""
