"""The measurements of `talk bench`: renderers, animation, generator and preprocessing."""
