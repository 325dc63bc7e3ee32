"""Layers used by two models or more."""
