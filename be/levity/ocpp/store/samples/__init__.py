"""What the meters said: written, read, corrected and moved here, and nowhere else.

A MeterValue is a row for some days, then part of its session's trace. Whoever asks here need not
know.
"""
