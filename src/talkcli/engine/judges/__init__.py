"""Frozen networks of others that score what is made; their weights are the user's."""
