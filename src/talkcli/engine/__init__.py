"""Everything that does the work; knows nothing of commands or terminals."""
