"""The formats of motion output: one row of `formats.py` and one file each."""
