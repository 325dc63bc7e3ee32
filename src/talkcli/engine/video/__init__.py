"""Faces in videos: reading pictures, following faces, and moving a head as they do."""
