"""The labels of data sets for emotions and their strength, mapped to ours; every adapter reads them here."""

from __future__ import annotations

from talkcli.engine.types import EMOTIONS, Emotion

# The emotion of clips that nobody labelled: a label is needed, and level 0 states that it means nothing.
UNLABELLED = Emotion(label="neutral", level=0.0)

# The third part of a RAVDESS file name is the emotion, the fourth the level: normal or strong.
EMOTION_OF_RAVDESS = {
    "01": "neutral", "02": "calm", "03": "happy", "04": "sad",
    "05": "angry", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
LEVEL_OF_RAVDESS = {"01": 0.65, "02": 1.0}

# Names of MEAD's folders; the emotions are those of DEEPTalk's numbers without calm.
EMOTION_OF_MEAD = {
    "neutral": "neutral", "happy": "happy", "sad": "sad", "angry": "angry",
    "fear": "fear", "disgusted": "disgust", "surprised": "surprise", "contempt": "contempt",
}  # fmt: skip
# MEAD's intensities as levels; neutral has the first only.
LEVEL_OF_MEAD = {1: 1 / 3, 2: 2 / 3, 3: 1.0}

# Numbers in the names of DEEPTalk's files, from 1 neutral to 9 contempt. DEEPTalk's model uses other numbers.
EMOTION_OF_DEEPTALK_DISK = dict(enumerate(EMOTIONS, start=1))

# The third part of a CREMA-D file name is the emotion, the fourth the level. XX, in most of the set, means
# that the actor was asked for no level.
EMOTION_OF_CREMA_D = {
    "ANG": "angry", "DIS": "disgust", "FEA": "fear", "HAP": "happy", "NEU": "neutral", "SAD": "sad",
}  # fmt: skip
LEVEL_OF_CREMA_D = {"LO": 1 / 3, "MD": 2 / 3, "HI": 1.0, "XX": 2 / 3}

# BEAT's spoken recordings by the first number in their names; conversations are neutral. No level is stated.
EMOTION_OF_BEAT = {
    range(65): "neutral", range(65, 73): "happy", range(73, 81): "angry", range(81, 87): "sad",
    range(87, 95): "contempt", range(95, 103): "surprise", range(103, 111): "fear",
    range(111, 119): "disgust",
}  # fmt: skip

# AffectNet's numbers; 8 to 10 (no emotion, uncertain, no face) are no labels.
EMOTION_OF_AFFECTNET = {
    0: "neutral", 1: "happy", 2: "sad", 3: "surprise", 4: "fear", 5: "disgust", 6: "angry", 7: "contempt",
}  # fmt: skip
# The second part of a nEMO file name is the emotion; no level is stated.
EMOTION_OF_NEMO = {
    "neutral": "neutral", "happiness": "happy", "sadness": "sad", "anger": "angry", "fear": "fear",
    "surprised": "surprise",
}  # fmt: skip
# The level of an emotion whose strength the data set does not state, as CREMA-D's XX.
UNTOLD_LEVEL = 2 / 3
