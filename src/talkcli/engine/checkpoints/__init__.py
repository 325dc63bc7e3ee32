"""Model files: safetensors with the resolved config in the header."""
