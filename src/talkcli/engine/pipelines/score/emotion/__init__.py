"""The emotion that generated motion shows, against the emotion of its speech."""
