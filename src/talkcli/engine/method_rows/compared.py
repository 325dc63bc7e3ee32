"""Rows: The methods that DEEPTalk and EmoFace are compared with, and EmoFace."""

from __future__ import annotations

from talkcli.engine.method_rows.row import Method

_CODETALKER = "talkcli.engine.models.codetalker"
_OBJECTIVES = "talkcli.engine.train.objectives"
_TRAINING = "talkcli.engine.pipelines.training"
_BENCH = "talkcli.engine.pipelines.bench"

COMPARED: dict[str, Method] = {
    "faceformer": Method(
        model="talkcli.engine.models.faceformer:FaceFormer",
        config="talkcli.engine.models.faceformer:FaceFormerConfig",
        objective=f"{_OBJECTIVES}.faceformer:FaceFormerObjective",
        objective_config=f"{_OBJECTIVES}.faceformer:FaceFormerObjectiveConfig",
        assembly=f"{_TRAINING}.faceformer:FaceFormerAssembly",
        parts=("phones", "wav2vec2"),
        recipe="faceformer",
        paper="FaceFormer (Fan et al. 2022)",
        page="methods/faceformer.md",
        motion="either",
        performer="talkcli.engine.performers.by_speaker:SpeakerPerformer",
        inputs=(
            "speech",
            "speaker",
        ),
        controls=("actor",),
        bench=f"{_BENCH}.faceformer:contest",
        converter="talkcli.engine.checkpoints.convert.faceformer:layouts",
        recogniser="talkcli.engine.checkpoints.convert.faceformer:recognise",
        built_in="talkcli.engine.checkpoints.convert.faceformer:built_in",
    ),
    "emotalk": Method(
        model="talkcli.engine.models.emotalk.emotalk:EmoTalk",
        config="talkcli.engine.models.emotalk.emotalk_config:EmoTalkConfig",
        objective=f"{_OBJECTIVES}.emotalk:EmoTalkObjective",
        objective_config=f"{_OBJECTIVES}.emotalk:EmoTalkObjectiveConfig",
        assembly=f"{_TRAINING}.emotalk:EmoTalkAssembly",
        parts=("wav2vec2", "emotion_wav2vec2"),
        recipe="emotalk-small",
        paper="EmoTalk (Peng et al. 2023)",
        page="methods/emotalk.md",
        motion="either",
        performer="talkcli.engine.performers.emotalk:EmoTalkPerformer",
        inputs=(
            "speech",
            "speaker",
            "emotion: the voice's or another's",
            "level",
        ),
        controls=(
            "actor",
            "emotion_from",
            "level",
        ),
        bench=f"{_BENCH}.emotalk:contest",
        converter="talkcli.engine.checkpoints.convert.emotalk:layouts",
        recogniser="talkcli.engine.checkpoints.convert.emotalk:recognise",
        built_in="talkcli.engine.checkpoints.convert.emotalk:built_in",
    ),
    "emoface": Method(
        model="talkcli.engine.models.emoface.emoface:EmoFace",
        config="talkcli.engine.models.emoface.emoface_config:EmoFaceConfig",
        objective=f"{_OBJECTIVES}.emoface:EmoFaceObjective",
        objective_config=f"{_OBJECTIVES}.emoface:EmoFaceObjectiveConfig",
        assembly=f"{_TRAINING}.emoface:EmoFaceAssembly",
        parts=("wav2vec2", "emotion_wav2vec2", "phones"),
        recipe="emoface-small",
        paper="EmoFace (Lin et al. 2024)",
        page="methods/emoface.md",
        motion="vertices",
        performer="talkcli.engine.performers.emotalk:EmoTalkPerformer",
        inputs=(
            "speech",
            "speaker",
            "emotion: the voice's or another's",
            "level",
        ),
        controls=(
            "actor",
            "emotion_from",
            "level",
        ),
        bench=f"{_BENCH}.emoface:contest",
    ),
    "codetalker_vq": Method(
        model=f"{_CODETALKER}.autoencoder:CodeTalkerVq",
        config=f"{_CODETALKER}.autoencoder:CodeTalkerVqConfig",
        objective=f"{_OBJECTIVES}.codetalker:CodeTalkerVqObjective",
        objective_config=f"{_OBJECTIVES}.codetalker:CodeTalkerVqObjectiveConfig",
        assembly=f"{_TRAINING}.codetalker:CodeTalkerVqAssembly",
        recipe="codetalker_vq",
        paper="CodeTalker (Xing et al. 2023), section 3.1",
        page="methods/codetalker.md",
        converter="talkcli.engine.checkpoints.convert.codetalker:layouts",
        recogniser="talkcli.engine.checkpoints.convert.codetalker:recognise_stage_1",
        built_in="talkcli.engine.checkpoints.convert.codetalker:built_in",
        wrapper="state_dict",
    ),
    "codetalker": Method(
        model=f"{_CODETALKER}.codetalker:CodeTalker",
        config=f"{_CODETALKER}.config:CodeTalkerConfig",
        objective=f"{_OBJECTIVES}.codetalker:CodeTalkerObjective",
        objective_config=f"{_OBJECTIVES}.codetalker:CodeTalkerObjectiveConfig",
        assembly=f"{_TRAINING}.codetalker:CodeTalkerAssembly",
        parts=("prior", "phones", "wav2vec2"),
        recipe="codetalker",
        paper="CodeTalker (Xing et al. 2023), section 3.2",
        page="methods/codetalker.md",
        motion="either",
        performer="talkcli.engine.performers.codetalker:CodeTalkerPerformer",
        inputs=(
            "speech",
            "speaker",
        ),
        controls=(
            "actor",
            "feedback",
        ),
        bench=f"{_BENCH}.codetalker:contest",
        converter="talkcli.engine.checkpoints.convert.codetalker:layouts",
        recogniser="talkcli.engine.checkpoints.convert.codetalker:recognise_stage_2",
        built_in="talkcli.engine.checkpoints.convert.codetalker:built_in",
        wrapper="state_dict",
    ),
}
