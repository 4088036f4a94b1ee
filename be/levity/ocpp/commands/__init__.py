"""Calls to chargers: asked for, checked, sent, answered. What an extension needs is here."""

from levity.ocpp.commands.lifecycle import BadCall, KeyTaken, NeverSent, cancel, queue

__all__ = ["BadCall", "KeyTaken", "NeverSent", "cancel", "queue"]
