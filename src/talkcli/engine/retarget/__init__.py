"""Motion of one head on another: by names, by landmarks, or by a mapping that the user gives."""
