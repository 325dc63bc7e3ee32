"""Sentences that synthesisers read aloud for the training corpus."""
