"""One command per file: each parses its options, calls one pipeline and prints the result."""
