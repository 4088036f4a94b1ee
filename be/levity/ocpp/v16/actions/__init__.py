"""What each message of a charger means: one module an action, with one pure function; what several
of them share stands beside them.
"""
