"""The oracle: random charger lives whose physical meter knows the truth (docs/evidence/ledger.md).

It shares nothing with what it judges: its chargers, meters and verdict are its own, what Levity did
is read by plain SQL, and no module here imports a rule, a handler or a model of Levity.
"""
