"""Networks that score motion: published ones, whose weights the user provides, and our own."""
