"""EmoFace: speech to vertices by a content branch, an emotion branch and Mesh Attention between them."""
