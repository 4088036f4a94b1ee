"""Calls to chargers: asked for, checked, sent, answered."""
