"""One file per thing minimised."""
