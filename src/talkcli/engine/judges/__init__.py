"""Frozen third-party networks that score generated motion; the user provides their weights."""
