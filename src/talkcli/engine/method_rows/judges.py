"""Rows: The judges of talk score."""

from __future__ import annotations

from talkcli.engine.method_rows.row import Method

_JUDGES = "talkcli.engine.judges"
_OBJECTIVES = "talkcli.engine.train.objectives"
_TRAINING = "talkcli.engine.pipelines.training"

JUDGES: dict[str, Method] = {
    "sync": Method(
        model=f"{_JUDGES}.sync:SyncJudge",
        config=f"{_JUDGES}.sync:SyncConfig",
        objective=f"{_OBJECTIVES}.sync:SyncObjective",
        objective_config=f"{_OBJECTIVES}.sync:SyncObjectiveConfig",
        assembly=f"{_TRAINING}.sync:SyncAssembly",
        sound_only=True,
        recipe="sync",
        paper="ours",
        page="judges.md",
    ),
    "sync_image": Method(
        model=f"{_JUDGES}.sync_image:SyncImageJudge",
        config=f"{_JUDGES}.sync_image:SyncImageConfig",
        objective=f"{_OBJECTIVES}.sync_image:SyncImageObjective",
        objective_config=f"{_OBJECTIVES}.sync_image:SyncImageObjectiveConfig",
        assembly=f"{_TRAINING}.sync_image:SyncImageAssembly",
        sound_only=True,
        recipe="sync_image",
        paper="ours",
        page="judges.md",
    ),
    "ffd": Method(
        model=f"{_JUDGES}.ffd:FfdVae",
        config=f"{_JUDGES}.ffd:FfdConfig",
        objective=f"{_OBJECTIVES}.ffd:FfdObjective",
        objective_config=f"{_OBJECTIVES}.ffd:FfdObjectiveConfig",
        assembly=f"{_TRAINING}.ffd:FfdAssembly",
        recipe="ffd",
        paper="DEEPTalk, supplementary material",
        page="judges.md",
    ),
    "emotion_image": Method(
        model=f"{_JUDGES}.emotion_image:EmotionImage",
        config=f"{_JUDGES}.emotion_image:EmotionImageConfig",
        objective=f"{_OBJECTIVES}.emotion_image:EmotionImageObjective",
        objective_config=f"{_OBJECTIVES}.emotion_image:EmotionImageObjectiveConfig",
        assembly=f"{_TRAINING}.emotion_image:EmotionImageAssembly",
        sound_only=True,
        recipe="emotion_image",
        paper="ours",
        page="judges.md",
    ),
}
