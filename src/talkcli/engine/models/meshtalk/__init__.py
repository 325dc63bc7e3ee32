"""MeshTalk: a categorical latent of speech and expression, and its autoregressive context model."""
