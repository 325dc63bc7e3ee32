"""Heads: coefficients to vertices."""
