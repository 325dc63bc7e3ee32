"""The methods by name, as strings only, so that listing them loads no torch.

A contract test resolves every string.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Method:
    """One row: where a method's parts live, as `module:attribute`, and who published it."""

    model: str
    config: str
    objective: str
    command: str
    """What trains it."""
    recipe: str
    paper: str


METHODS: dict[str, Method] = {
    "fer": Method(
        model="talkcli.engine.models.deeptalk.fer:Fer",
        config="talkcli.engine.models.deeptalk.fer:FerConfig",
        objective="talkcli.engine.train.objectives.fer:FerObjective",
        command="train-fer",
        recipe="fer",
        paper="DEEPTalk, supplementary material",
    ),
    "dee": Method(
        model="talkcli.engine.models.deeptalk.dee:Dee",
        config="talkcli.engine.models.deeptalk.dee:DeeConfig",
        objective="talkcli.engine.train.objectives.dee:DeeObjective",
        command="train-dee",
        recipe="dee",
        paper="DEEPTalk, section 3.1",
    ),
    "phones": Method(
        model="talkcli.engine.models.deeptalk.phones:PhoneEncoder",
        config="talkcli.engine.models.deeptalk.phones:PhonesConfig",
        objective="talkcli.engine.train.objectives.phones:PhonesObjective",
        command="train-phones",
        recipe="phones",
        paper="ours",
    ),
    "th_vqvae": Method(
        model="talkcli.engine.models.deeptalk.th_vqvae:ThVqvae",
        config="talkcli.engine.models.deeptalk.th_vqvae:ThVqvaeConfig",
        objective="talkcli.engine.train.objectives.prior:PriorObjective",
        command="train-vq",
        recipe="th_vqvae",
        paper="DEEPTalk, section 3.2",
    ),
    "vqvae": Method(
        model="talkcli.engine.models.deeptalk.vqvae:Vqvae",
        config="talkcli.engine.models.deeptalk.vqvae:VqvaeConfig",
        objective="talkcli.engine.train.objectives.prior:PriorObjective",
        command="train-vq",
        recipe="vqvae",
        paper="DEEPTalk, table 4",
    ),
    "vae": Method(
        model="talkcli.engine.models.deeptalk.vae:Vae",
        config="talkcli.engine.models.deeptalk.vae:VaeConfig",
        objective="talkcli.engine.train.objectives.prior:PriorObjective",
        command="train-vq",
        recipe="vae",
        paper="DEEPTalk, table 4",
    ),
    "deeptalk": Method(
        model="talkcli.engine.models.deeptalk.deeptalk:DeepTalk",
        config="talkcli.engine.models.deeptalk.deeptalk:DeepTalkConfig",
        objective="talkcli.engine.train.objectives.deeptalk:DeepTalkObjective",
        command="train-gen",
        recipe="deeptalk",
        paper="DEEPTalk, section 3.3",
    ),
}
