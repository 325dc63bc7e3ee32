"""The rules: a method without training that turns speech, its words and an emotion into motion of a face."""
