"""What an answer to a Call of ours means: one module an action, with one pure function; what some
of them share stands beside them.
"""
