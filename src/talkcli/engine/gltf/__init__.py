"""glTF 2.0: files of any maker read within bounds, and written as GLB. Knows nothing of faces."""
