"""What `talk bench` measures."""
