"""Who may connect and what may be sent: keys, certificates, guesses, and what never goes out.

Pure functions and values; `store/handshakes.py` reads and writes what they need.
"""
