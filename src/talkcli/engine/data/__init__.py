"""Manifests and clips: reading, checking, measuring and packing them."""
