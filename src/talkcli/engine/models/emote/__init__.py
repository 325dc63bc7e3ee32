"""FLINT, a prior of motion, and EMOTE, the generator that builds on it."""
