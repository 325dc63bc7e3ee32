"""What `talk score` measures, one file per table and what they share."""
