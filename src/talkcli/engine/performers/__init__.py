"""What makes motion of speech: trained models and the rules."""
