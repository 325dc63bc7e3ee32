"""Selection of the emotional clips of a large corpus: `talk preprocess emovox`."""
