"""A connector has one meter, and its register is one chain through time (ADR 33).

Each session is judged alone first (`rules.energy`); here the sessions of a connector are held
against each other. Pure rules: a window of the chain goes in, figures come out.
"""
