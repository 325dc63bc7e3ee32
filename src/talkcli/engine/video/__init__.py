"""Faces in videos: this package reads pictures, tracks faces and fits the motion of a head to them."""
