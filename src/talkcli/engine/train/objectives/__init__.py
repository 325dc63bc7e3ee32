"""The objectives: one file per model that is trained."""
