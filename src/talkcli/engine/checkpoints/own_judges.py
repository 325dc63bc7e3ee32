"""Our judges and the files of their weights; light to import, for commands."""

from __future__ import annotations

# Names of the judges, each that of its method and recipe, and their files in the package.
OWN_JUDGES = {
    "sync": "judge-sync.safetensors",
    "sync_image": "judge-sync-image.safetensors",
    "ffd": "judge-ffd.safetensors",
    "emotion_image": "judge-emotion-image.safetensors",
}
