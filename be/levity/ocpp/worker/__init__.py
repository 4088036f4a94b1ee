"""From a batch of frames to its answers, and what is done meanwhile."""
