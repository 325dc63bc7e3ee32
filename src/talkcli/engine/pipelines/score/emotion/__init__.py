"""The table of emotion: the emotion that generated motion shows, against the emotion of its speech."""
