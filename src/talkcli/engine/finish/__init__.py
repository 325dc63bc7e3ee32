"""Layers over a finished motion, each of them optional: blinks, head motion, filters, contacts and others."""
