"""Other people's checkpoints, tensor by tensor: what they hold, and where it stands here."""
