"""`levity bench`: how fast this machine is with Levity, and how fast it could be at most.

Both in one run and in turns, so that a machine that is busy with other things slows both alike:
trust the ratios, not the absolute figures. docs/evidence/performance.md tells the method.
"""
