"""What an answer to a Call of ours means: one module an action, one pure function a module."""
