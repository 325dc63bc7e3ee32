"""What data sets call an emotion and its strength, in our words; every adapter reads its labels here."""

from __future__ import annotations

from talkcli.engine.types import EMOTIONS

# The third part of a RAVDESS file name, and the fourth: normal and strong.
EMOTION_OF_RAVDESS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad",
    "05": "angry", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
LEVEL_OF_RAVDESS = {"01": 0.65, "02": 1.0}

# Folders of MEAD; the emotions are those of DEEPTalk's numbers without calm.
EMOTION_OF_MEAD = {
    "neutral": "neutral", "happy": "happy", "sad": "sad", "angry": "angry",
    "fear": "fear", "disgusted": "disgust", "surprised": "surprise", "contempt": "contempt",
}  # fmt: skip
# MEAD's intensities; neutral has the first only.
LEVEL_OF_MEAD = {1: 1 / 3, 2: 2 / 3, 3: 1.0}

# In the names of DEEPTalk's files: 1 neutral to 9 contempt. Inside the model other numbers are used.
EMOTION_OF_DEEPTALK_DISK = dict(enumerate(EMOTIONS, start=1))

# The third and fourth part of a CREMA-D file name. XX: no level was asked for, which is most of the set.
EMOTION_OF_CREMA_D = {
    "ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad",
}  # fmt: skip
LEVEL_OF_CREMA_D = {"LO": 1 / 3, "MD": 2 / 3, "HI": 1.0, "XX": 2 / 3}
