"""The performer: speech, transcript and emotion to a face's motion, by rules from the literature."""
