"""Self-contained HTML pages: their frame, tables and charts."""
