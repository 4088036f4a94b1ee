"""`make soak`: break everything around Levity, in turn or at random, and hold the ledgers of
simulated chargers against the database.

For development only: no part of a running Levity imports this package.
"""
