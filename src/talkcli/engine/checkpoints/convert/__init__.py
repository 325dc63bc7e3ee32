"""Conversion of third-party checkpoints, tensor by tensor, to talk's names and back."""
