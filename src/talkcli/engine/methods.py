"""The methods by name, as strings only, so that listing them loads no torch.

A row leads to everything that training, animating, scoring and converting need to know of a method. To add
one, write its model, its objective and its recipe, and add its row (`docs/add-a-method.md`). A contract test
resolves every string.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class Part:
    """A ready-made part that a training run builds on."""

    what: str
    """The part in words, with its article: a trained motion prior."""
    made_by: str | None = None
    """The method that trains it; None for weights that somebody published."""
    made_for: Mapping[str, str] = field(default_factory=dict)
    """The methods that need another model in this part, each with the method that trains that model."""
    published: str | None = None
    """The name of the published weights, for a part that random weights may replace."""

    def maker(self, method: str) -> str | None:
        """Return the method that trains the part for a training of `method`."""
        return self.made_for.get(method, self.made_by)


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row. Places are written `module:attribute`."""

    model: str
    """The network, a torch module whose constructor takes the config and the numbers of a frame of motion."""
    config: str
    """The network's settings: a `Config`, or a union of several."""
    objective: str
    """The loss: a torch module of a model and its own config (`assembly` may give it more)."""
    objective_config: str
    recipe: str
    """The packaged recipe that training takes where none is named."""
    paper: str
    page: str
    """The document that describes it, below docs/."""
    command: str | None = None
    """The command of its own that trains it, beside `talk train METHOD`."""
    stages: int = 1
    """Number of stages of the training."""
    parts: tuple[str, ...] = ()
    """Which of `PARTS` a training can be given."""
    assembly: str | None = None
    """An `Assembly`, which puts the training together; None: the recipe alone does."""
    sound_only: bool = False
    """Whether the network takes no numbers of a frame of motion: it only hears, or sees what any head shows.
    Its constructor takes the config alone."""
    motion: Literal["coefficients", "vertices", "either"] | None = None
    """The form of motion that it makes of speech; either: the one that its config names as `motion`. None for
    a method that is no generator."""
    performer: str | None = None
    """A `TrainedPerformer`, with the method's controls; None: the model performs by its own `generate`."""
    converter: str | None = None
    """A function of the method's name, its config and the numbers of a frame that returns the names of its
    weights in published checkpoints, by file."""
    recogniser: str | None = None
    """A function of published checkpoints that returns which model they hold (`checkpoints/convert/
    published.py`), for `talk convert METHOD FILE...`; None where no such command exists."""
    built_in: str | None = None
    """A function of the config and the numbers of a frame that returns the settings of the network which the
    official code has built in, by dotted names, for each data set that `Choices` can name (None where there
    is no such choice); with a recogniser there is one."""
    bench: str | None = None
    """A function of a duration in seconds that returns a `Contest`; None for what is no generator."""
    wrapper: str | None = None
    """The key below which published checkpoints hold their tensors; None for bare tensors."""


# The name of the model that performs where none is named.
EMBEDDED = "embedded"
# The models that come with talk: the names of their files in the folder of weights, without suffix.
SHIPPED: dict[str, str] = {
    EMBEDDED: "deeptalk-small",
    "emoface": "emoface-small",
    "faceformer": "faceformer-small",
}

PARTS: dict[str, Part] = {
    "fer": Part(what="an expression classifier", made_by="fer", published="the expression classifier"),
    "emotion2vec": Part(what="emotion2vec", published="emotion2vec"),
    "dee": Part(what="a trained emotion embedding", made_by="dee"),
    "prior": Part(
        what="a trained motion prior",
        made_by="th_vqvae",
        made_for={"codetalker": "codetalker_vq", "emote": "flint"},
    ),
    "phones": Part(what="a trained phone encoder", made_by="phones", published="the phone encoder"),
    "wav2vec2": Part(what="wav2vec 2.0", published="wav2vec 2.0"),
    "emotion_wav2vec2": Part(what="wav2vec 2.0 of speech emotion", published="wav2vec 2.0 of speech emotion"),
    "lip_reader": Part(what="a lip reader", published="a lip reader"),
    "emotion_judge": Part(what="a trained judge of emotion in pictures", made_by="emotion_image"),
    "start": Part(what="the generator of stage 1", made_by="deeptalk", made_for={"emote": "emote"}),
}

_MODELS = "talkcli.engine.models.deeptalk"
_CODETALKER = "talkcli.engine.models.codetalker"
_EMOTE = "talkcli.engine.models.emote"
_JUDGES = "talkcli.engine.judges"
_OBJECTIVES = "talkcli.engine.train.objectives"
_TRAINING = "talkcli.engine.pipelines.training"
_BENCH = "talkcli.engine.pipelines.bench"

METHODS: dict[str, Method] = {
    "fer": Method(
        model=f"{_MODELS}.fer:Fer",
        config=f"{_MODELS}.fer:FerConfig",
        objective=f"{_OBJECTIVES}.fer:FerObjective",
        objective_config=f"{_OBJECTIVES}.fer:FerObjectiveConfig",
        assembly=f"{_TRAINING}.fer:FerAssembly",
        command="train-fer",
        recipe="fer-released",
        paper="DEEPTalk, supplementary material",
        page="methods/deeptalk.md",
        converter="talkcli.engine.checkpoints.convert.deeptalk:layouts",
    ),
    "dee": Method(
        model=f"{_MODELS}.dee:Dee",
        config=f"{_MODELS}.dee:DeeConfig",
        objective=f"{_OBJECTIVES}.dee:DeeObjective",
        objective_config=f"{_OBJECTIVES}.dee:DeeObjectiveConfig",
        assembly=f"{_TRAINING}.dee:DeeAssembly",
        parts=("emotion2vec", "fer"),
        command="train-dee",
        recipe="dee-small",
        paper="DEEPTalk, section 3.1",
        page="methods/deeptalk.md",
        converter="talkcli.engine.checkpoints.convert.deeptalk:layouts",
    ),
    "phones": Method(
        model="talkcli.engine.models.phones:PhoneEncoder",
        config="talkcli.engine.models.phones:PhonesConfig",
        objective=f"{_OBJECTIVES}.phones:PhonesObjective",
        objective_config=f"{_OBJECTIVES}.phones:PhonesObjectiveConfig",
        assembly=f"{_TRAINING}.phones:PhonesAssembly",
        sound_only=True,
        command="train-phones",
        recipe="phones",
        paper="ours",
        page="methods/deeptalk.md",
    ),
    "th_vqvae": Method(
        model=f"{_MODELS}.th_vqvae:ThVqvae",
        config=f"{_MODELS}.th_vqvae:ThVqvaeConfig",
        objective=f"{_OBJECTIVES}.prior:PriorObjective",
        objective_config=f"{_OBJECTIVES}.prior:PriorObjectiveConfig",
        assembly=f"{_TRAINING}.prior:PriorAssembly",
        command="train-vq",
        recipe="th_vqvae-small",
        paper="DEEPTalk, section 3.2",
        page="methods/deeptalk.md",
        converter="talkcli.engine.checkpoints.convert.deeptalk:layouts",
    ),
    "vqvae": Method(
        model=f"{_MODELS}.vqvae:Vqvae",
        config=f"{_MODELS}.vqvae:VqvaeConfig",
        objective=f"{_OBJECTIVES}.prior:PriorObjective",
        objective_config=f"{_OBJECTIVES}.prior:PriorObjectiveConfig",
        assembly=f"{_TRAINING}.prior:PriorAssembly",
        recipe="vqvae",
        paper="DEEPTalk, table 4",
        page="methods/deeptalk.md",
    ),
    "vae": Method(
        model=f"{_MODELS}.vae:Vae",
        config=f"{_MODELS}.vae:VaeConfig",
        objective=f"{_OBJECTIVES}.prior:PriorObjective",
        objective_config=f"{_OBJECTIVES}.prior:PriorObjectiveConfig",
        assembly=f"{_TRAINING}.prior:PriorAssembly",
        recipe="vae",
        paper="DEEPTalk, table 4",
        page="methods/deeptalk.md",
    ),
    "deeptalk": Method(
        model=f"{_MODELS}.deeptalk:DeepTalk",
        config=f"{_MODELS}.deeptalk:DeepTalkConfig",
        objective=f"{_OBJECTIVES}.deeptalk:DeepTalkObjective",
        objective_config=f"{_OBJECTIVES}.deeptalk:DeepTalkObjectiveConfig",
        assembly=f"{_TRAINING}.deeptalk:DeepTalkAssembly",
        stages=2,
        parts=("dee", "prior", "phones", "wav2vec2", "lip_reader", "start"),
        command="train-gen",
        recipe="deeptalk-small",
        paper="DEEPTalk, section 3.3",
        page="methods/deeptalk.md",
        motion="coefficients",
        performer="talkcli.engine.performers.deeptalk:DeepTalkPerformer",
        bench=f"{_BENCH}.generator:contest",
        converter="talkcli.engine.checkpoints.convert.deeptalk:layouts",
    ),
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
        bench=f"{_BENCH}.codetalker:contest",
        converter="talkcli.engine.checkpoints.convert.codetalker:layouts",
        recogniser="talkcli.engine.checkpoints.convert.codetalker:recognise_stage_2",
        built_in="talkcli.engine.checkpoints.convert.codetalker:built_in",
        wrapper="state_dict",
    ),
    "flint": Method(
        model=f"{_EMOTE}.flint:Flint",
        config=f"{_EMOTE}.flint:FlintConfig",
        objective=f"{_OBJECTIVES}.prior:PriorObjective",
        objective_config=f"{_OBJECTIVES}.prior:PriorObjectiveConfig",
        assembly=f"{_TRAINING}.flint:FlintAssembly",
        recipe="flint",
        paper="EMOTE (Daněček et al. 2023), section 3.2",
        page="methods/emote.md",
        converter="talkcli.engine.checkpoints.convert.emote:layouts",
        recogniser="talkcli.engine.checkpoints.convert.emote:recognise_flint",
        built_in="talkcli.engine.checkpoints.convert.emote:built_in",
        wrapper="state_dict",
    ),
    "emote": Method(
        model=f"{_EMOTE}.emote:Emote",
        config=f"{_EMOTE}.emote_config:EmoteConfig",
        objective=f"{_OBJECTIVES}.emote:EmoteObjective",
        objective_config=f"{_OBJECTIVES}.emote:EmoteObjectiveConfig",
        assembly=f"{_TRAINING}.emote:EmoteAssembly",
        stages=2,
        parts=("prior", "phones", "wav2vec2", "lip_reader", "emotion_judge", "start"),
        recipe="emote",
        paper="EMOTE (Daněček et al. 2023)",
        page="methods/emote.md",
        motion="coefficients",
        performer="talkcli.engine.performers.emote:EmotePerformer",
        converter="talkcli.engine.checkpoints.convert.emote:layouts",
        recogniser="talkcli.engine.checkpoints.convert.emote:recognise",
        built_in="talkcli.engine.checkpoints.convert.emote:built_in",
        wrapper="state_dict",
        bench="talkcli.engine.pipelines.bench.emote:contest",
    ),
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


def training_command(method: str) -> str:
    """Name the command that trains a method."""
    return METHODS[method].command or f"train {method}"


def build(method: str, config: Any, width: int) -> Any:
    """Build the network of a method, for motion of `width` numbers a frame.

    Its weights come from torch's global generator.
    """
    row = METHODS[method]
    network = resolve(row.model)
    return network(config) if row.sound_only else network(config, width)


def resolve(target: str) -> Any:
    """Import the object that `module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
