"""The Levity edge: it terminates the chargers' websockets and relays every frame to the backend."""

__version__ = "0.1.0"
