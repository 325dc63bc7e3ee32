"""CodeTalker's networks: the auto-encoder of motion with its codebook, and the predictor of its codes."""
