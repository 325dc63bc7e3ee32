"""The embedded head `ada`: its shape, topology and deformers, the bake, and the head that reads it."""
