"""Manifest, clips, the performer, and adapters for data sets."""
