"""The training loop, which is independent of the method that it trains, and its run folder."""
