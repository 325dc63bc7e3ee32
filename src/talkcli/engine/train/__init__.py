"""The training loop, which knows no method, and its run folder."""
