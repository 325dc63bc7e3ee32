"""Avatars of users: glTF and VRM files that motion of ada moves, whatever their shapes are called."""
