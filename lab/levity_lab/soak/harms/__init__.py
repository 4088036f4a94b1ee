"""How each fault is done, and undone: context managers around the time that it lasts.

Blocking work (signals, SQL, rabbitmqctl) is done in threads: the chargers go on meanwhile.
"""
