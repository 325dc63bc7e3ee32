"""Readers of files from untrusted sources: they check, bound and decode a file, and run no code in it."""
