"""What is laid over a motion after it was made, each layer a choice: `talk animate --help`."""
