"""From vertices to pictures and video."""
