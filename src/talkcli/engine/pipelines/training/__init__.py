"""Parts that all training commands share: recipes, data, ready-made parts, limits and the run itself."""
