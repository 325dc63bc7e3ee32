"""Sound files, phones, prosody, augmentation, and the front-ends of the models."""
