"""The published EmoTalk: the names of its file, and the numbers that its code makes of weights by rule.

The two encoders have 315 million weights each. They are filled one after the other, so that the largest
moment holds one of them in double precision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from talkcli.engine.audio.ear import Sound
from talkcli.engine.checkpoints.convert.emotalk import RELEASED, layouts
from talkcli.engine.checkpoints.undrawn import Undrawn
from talkcli.engine.models.emotalk.emotalk import EmoTalk, num_frames
from tests.engine import probe_rule

RUNS = (
    "predict_1.0s_level1_person0_float32",
    "predict_1.0s_level0_person5_float32",
    "predict_1.36s_level1_person0_float32",
    "predict_1.0s_level1_person0_float64",
)
# Of the larger of an entry and the deviation. Measured: 3.5e-6; in double precision, what the files round.
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-9}


class Run(NamedTuple):
    """The conditions of one run."""

    seconds: float
    level: float
    person: int
    dtype: torch.dtype

    @classmethod
    def of(cls, name: str) -> Run:
        _, seconds, level, person, dtype = name.split("_")
        return cls(
            float(seconds[:-1]),
            float(level.removeprefix("level")),
            int(person.removeprefix("person")),
            getattr(torch, dtype),
        )

    @property
    def sound(self) -> Sound:
        return {"waveform": torch.from_numpy(probe_rule.sound(self.seconds)).to(self.dtype)[None, :, None]}

    @property
    def frames(self) -> int:
        return num_frames(round(16_000 * self.seconds), 30)


@pytest.fixture(scope="module")
def probes(shared_probes: Path) -> dict[str, Any]:
    runs: dict[str, Any] = json.loads((shared_probes / "emotalk.probe.json").read_text())["runs"]
    assert set(runs) == set(RUNS)
    return runs


@pytest.fixture(scope="module")
def found(shared_probes: Path) -> dict[str, dict[str, Tensor]]:
    """What our model makes in every run, by the names of the probe file."""
    with torch.device("meta"), Undrawn():
        model = EmoTalk(RELEASED).eval()
    (layout,) = layouts("emotalk", RELEASED).values()
    published = {entry.ours: entry for entry in layout}
    made: dict[str, dict[str, Tensor]] = {name: {} for name in RUNS}

    def fill(part: nn.Module, prefix: str) -> None:
        part.to_empty(device="cpu")
        for name, tensor in part.state_dict().items():
            entry = published[f"{prefix}.{name}"]
            tensor.copy_(probe_rule.filled(entry.official, entry.shape))

    rest = [name for name, _ in model.named_children() if not name.endswith("_encoder")]
    with torch.inference_mode():
        for name in rest:
            fill(getattr(model, name), name)
        for branch in ("content", "emotion"):
            encoder = getattr(model, f"{branch}_encoder")
            fill(encoder, f"{branch}_encoder")
            # Float64 comes last.
            for name in RUNS:
                run, taps = Run.of(name), made[name]
                encoder.to(run.dtype)
                if branch == "content":
                    taps["cont_last_hidden"] = encoder(run.sound, run.frames)
                else:
                    taps["emo_last_hidden_before_second_resample"] = encoder(run.sound)
                    taps["emo_hidden_after_second_resample"] = model.felt(run.sound, run.frames)
            encoder.to("meta")
        for name in RUNS:
            run, taps = Run.of(name), made[name]
            for part in rest:
                getattr(model, part).to(run.dtype)
            content, felt = (
                model.content_map(taps["cont_last_hidden"]),
                taps["emo_hidden_after_second_resample"],
            )
            level, person = torch.tensor([run.level], dtype=run.dtype), torch.tensor([run.person])
            taps |= {
                "content_512": content,
                "emotion_832": model.emotion_map(felt),
                "emotion_256_before_relu": model.emotion_narrow(model.emotion_map(felt)),
                "output": model.decode(content, felt, level, person),
                "emotion_logits": model.classifier(felt),
            }
    return made


@pytest.mark.parametrize("name", RUNS)
def test_every_number_is_the_published_codes(
    name: str, probes: Mapping[str, Any], found: Mapping[str, Mapping[str, Tensor]]
) -> None:
    probe = probes[name]
    wanted = {**probe["taps"], "output": probe["output"], "emotion_logits": probe["emotion_logits"]}
    for tap, value in found[name].items():
        assert value.dtype == Run.of(name).dtype
        probe_rule.assert_like(value, wanted[tap], TOLERANCES[value.dtype], f"{name}: {tap}")


def test_the_layout_is_the_key_list_of_the_file(shared_probes: Path) -> None:
    keys = probe_rule.keys((shared_probes / "emotalk.keys.txt").read_text())
    (layout,) = layouts("emotalk", RELEASED).values()
    assert {entry.official: entry.shape for entry in layout} == keys
    with torch.device("meta"), Undrawn():
        model = EmoTalk(RELEASED)
    ours = {entry.ours: entry.our_shape for entry in layout if entry.ours is not None}
    assert ours == {name: tuple(value.shape) for name, value in model.state_dict().items()}
    unread = sum(torch.Size(entry.shape).numel() for entry in layout if entry.ours is None)
    assert sum(value.numel() for value in model.parameters()) + unread == 640_570_427
    frozen = sum(value.numel() for value in model.parameters() if not value.requires_grad)
    assert 640_570_427 - frozen == 632_150_075
