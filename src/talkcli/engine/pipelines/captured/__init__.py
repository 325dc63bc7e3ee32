"""What captured faces do, measured: the numbers of `face/captured.py` from prepared data sets."""
