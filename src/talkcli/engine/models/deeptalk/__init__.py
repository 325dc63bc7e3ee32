"""DEEPTalk's networks: the emotion embedding, the motion priors, the content encoders and the generator."""
