"""Sound files and front-ends."""
