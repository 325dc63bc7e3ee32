"""Shapes for a mesh that has none: ada's, carried over by registration and deformation transfer."""
