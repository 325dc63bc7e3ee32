"""Conversion of published checkpoints to model files, and back."""
