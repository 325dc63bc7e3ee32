"""The rows of the methods."""
