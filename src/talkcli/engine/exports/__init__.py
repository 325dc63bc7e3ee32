"""The formats that motion is written in: one row of `formats.py` and one file each."""
