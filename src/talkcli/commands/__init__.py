"""One command per file: parses, calls one pipeline, prints."""
