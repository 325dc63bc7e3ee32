"""What training commands share: recipes, data, parts, limits, the run."""
