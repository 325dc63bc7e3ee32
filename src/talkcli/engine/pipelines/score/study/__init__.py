"""The user study of `talk score study`: its page, and the tables of its results."""
