"""One measure per file, with its definition and unit."""
