"""Differentiable terms used by objectives."""
