"""From data sets as they come to clips as models train on them."""
