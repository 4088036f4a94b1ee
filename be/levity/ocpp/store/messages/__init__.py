"""The log of frames: rows for the last days, and behind them one compressed block a charge point
and day. Nobody outside of this room sees which of the two an exchange is in.
"""
