"""What is laid over a finished motion, each layer a choice: `talk animate --help`."""
