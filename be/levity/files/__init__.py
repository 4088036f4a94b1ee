"""A place for chargers' files, over HTTP and FTP: uploads of diagnostics and logs, and firmware.

Levity never opens a URL that somebody names: chargers come here, and nobody is visited from here.
"""
