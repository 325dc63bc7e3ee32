"""Readers of files that anyone may have made: opened, recognised, bounded, decoded; nothing in them runs."""
