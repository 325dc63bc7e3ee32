"""FaceDiffuser: motion from noise, by a diffusion that listens to speech."""
