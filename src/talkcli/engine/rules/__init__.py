"""The rules: speech, transcript and emotion to a face's motion, without training."""
