"""DEEPTalk's own networks: its emotion encoder, motion priors and generator."""
