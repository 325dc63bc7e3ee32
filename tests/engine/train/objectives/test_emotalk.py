"""The objective of EmoTalk: what is exchanged, what counts, and that one clip can be learnt by heart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from talkcli.engine.audio.ear import hear
from talkcli.engine.face.channels import ADA
from talkcli.engine.models.emotalk.emotalk import EmoTalk
from talkcli.engine.models.emotalk.emotalk_config import EmoTalkConfig
from talkcli.engine.train.batches import Batch
from talkcli.engine.train.objectives.emotalk import (
    EmoTalkObjective,
    EmoTalkObjectiveConfig,
    same_emotion,
)
from talkcli.engine.types import EMOTIONS
from tests.engine.fakes import LinearHead, fake_clip
from tests.engine.models.emotalk.tiny_emotalk import SMALL

FRAMES = 16
HAPPY, SAD, CALM = (EMOTIONS.index(name) for name in ("happy", "sad", "calm"))


def _model(config: EmoTalkConfig = SMALL, num_values: int = 53) -> EmoTalk:
    torch.manual_seed(0)
    model = EmoTalk(config.model_copy(update={"dropout": 0.0}), num_values).train()
    nn.init.normal_(model.outward.weight, std=0.1)
    return model


def _batch(model: EmoTalk, emotion: list[int], num_values: int = 53) -> Batch:
    generator = torch.Generator().manual_seed(0)
    rows = len(emotion)
    return Batch(
        sound=hear(model.ears, torch.randn(rows, FRAMES * 640, generator=generator)),
        motion=torch.randn(rows, FRAMES, num_values, generator=generator),
        emotion=torch.tensor(emotion),
        level=torch.linspace(0, 1, rows),
        speaker=torch.arange(rows) % 3 - 1,
        phones=torch.full((rows, 1), -1),
    )


def test_the_donor_has_the_same_emotion_and_if_possible_the_same_speaker() -> None:
    emotion = torch.tensor([HAPPY, HAPPY, SAD, HAPPY, CALM, SAD])
    speaker = torch.tensor([0, 1, 0, 0, 0, 1])
    assert same_emotion(emotion, speaker).tolist() == [3, 3, 5, 0, 4, 2]


def _crossed(objective: EmoTalkObjective, batch: Batch) -> tuple[Tensor, Tensor]:
    """Content and emotion features of the exchanged pass, as rows of those of the own pass."""
    given: list[tuple[Tensor, Tensor]] = []
    decode = objective.model.decode

    def remember(content: Tensor, felt: Tensor, level: Tensor, person: Tensor) -> Tensor:
        given.append((content, felt))
        return decode(content, felt, level, person)

    objective.model.decode = remember  # type: ignore[method-assign]
    objective(batch, 0.0)
    (content, felt), (other_content, other_felt) = given
    return tuple(
        torch.cdist(other.flatten(1), own.flatten(1)).argmin(1)
        for other, own in ((other_content, content), (other_felt, felt))
    )  # type: ignore[return-value]


def test_without_pairs_only_the_emotion_is_exchanged() -> None:
    model = _model()
    batch = _batch(model, [HAPPY, SAD, HAPPY, SAD])
    contents, emotions = _crossed(EmoTalkObjective(model, EmoTalkObjectiveConfig()), batch)
    assert contents.tolist() == [0, 1, 2, 3]
    assert emotions.tolist() == [2, 3, 0, 1]


def test_with_pairs_the_words_come_from_the_partner() -> None:
    model = _model()
    batch = _batch(model, [HAPPY, SAD, SAD, HAPPY])
    objective = EmoTalkObjective(model, EmoTalkObjectiveConfig(), paired=True)
    contents, emotions = _crossed(objective, batch)
    assert contents.tolist() == [1, 0, 3, 2]
    # Not from the partner, whose emotion is another one.
    assert emotions.tolist() == [3, 2, 1, 0]


def test_rows_without_anyone_to_exchange_with_do_not_count_as_crossed() -> None:
    model = _model()
    objective = EmoTalkObjective(model, EmoTalkObjectiveConfig())
    terms = objective(_batch(model, [HAPPY, SAD, CALM]), 0.0)
    assert terms["cross"] == 0
    terms["loss"].backward()
    three = objective(_batch(model, [HAPPY, SAD, HAPPY]), 0.0)
    assert three["cross"] > 0


def test_the_loss_is_the_weighed_sum_of_its_terms() -> None:
    model = _model()
    weights = {"self": 2.0, "cross": 3.0, "velocity": 5.0, "classification": 7.0}
    config = EmoTalkObjectiveConfig(**{f"{name}_weight": weight for name, weight in weights.items()})
    with torch.no_grad():
        terms = EmoTalkObjective(model, config)(_batch(model, [HAPPY, SAD, HAPPY, SAD]), 0.0)
    assert set(terms) == {"loss", *weights}
    wanted = sum(float(terms[name]) * weight for name, weight in weights.items())
    assert float(terms["loss"]) == pytest.approx(wanted, rel=1e-5)


def test_labels_that_the_classifier_does_not_know_count_for_nothing() -> None:
    model = _model(SMALL.model_copy(update={"labels": ("sad", "happy")}))
    objective = EmoTalkObjective(model, EmoTalkObjectiveConfig())
    batch = _batch(model, [HAPPY, CALM])
    logits = model.classifier(model.felt(batch.sound, FRAMES))
    wanted = nn.functional.cross_entropy(logits[:1], torch.tensor([1]))
    torch.testing.assert_close(objective(batch, 0.0)["classification"], wanted)
    unknown = _batch(model, [CALM, CALM])
    assert objective(unknown, 0.0)["classification"] == 0
    with torch.no_grad():
        assert "emotion_accuracy" not in objective.validate([unknown])


def test_vertices_are_compared_in_millimetres_from_each_face_at_rest() -> None:
    model = _model(SMALL.model_copy(update={"motion": "vertices"}), 12)
    nn.init.zeros_(model.outward.weight)
    batch = _batch(model, [HAPPY, SAD], 12)
    rest = torch.arange(24.0).view(2, 4, 3)
    still = rest.flatten(1)[:, None].expand(-1, FRAMES, -1)
    away = torch.zeros_like(still).index_fill(2, torch.tensor([0]), 0.001)
    with torch.no_grad():
        terms = EmoTalkObjective(model, EmoTalkObjectiveConfig())(
            replace(batch, motion=still + away, neutral=rest), 0.0
        )
    # One of twelve coordinates is a millimetre away.
    assert float(terms["self"]) == pytest.approx(1 / 12, rel=1e-2)
    assert float(terms["velocity"]) == pytest.approx(0, abs=1e-4)


def test_the_distance_of_the_surface_counts_beside_that_of_the_coefficients() -> None:
    model, head = _model(), LinearHead()
    batch = _batch(model, [HAPPY, SAD])
    plain = EmoTalkObjective(model, EmoTalkObjectiveConfig())
    both = EmoTalkObjective(model, EmoTalkObjectiveConfig(vertex_weight=0.5), head)
    with torch.no_grad():
        content, felt = model.content(batch.sound, FRAMES), model.felt(batch.sound, FRAMES)
        made = model(content, felt, batch.level, batch.speaker.clamp_min(0))
        apart_mm = 1000 * (head(made.flatten(0, 1)) - head(batch.motion.flatten(0, 1)))
        added = both(batch, 0.0)["self"] - plain(batch, 0.0)["self"]
        measures = both.validate([batch])
    torch.testing.assert_close(added, 0.5 * apart_mm.square().mean(), rtol=1e-4, atol=0)
    lips_mm = apart_mm[:, :20].norm(dim=-1).amax(-1).mean()
    assert measures["score"] == pytest.approx(float(lips_mm), rel=1e-4)


def test_one_clip_can_be_learnt_by_heart() -> None:
    wider = {"content_width": 24, "emotion_width": 16, "level_width": 4, "person_width": 4}
    model = _model(SMALL.model_copy(update=wider))
    clip = fake_clip(2, frames=FRAMES)
    assert clip.speech is not None
    motion = torch.from_numpy(clip.motion.values)[None]
    # Radians of the jaw are small beside shares of a full scale; here they count as much.
    motion[..., ADA.index("jawPitch")] *= 3
    batch = Batch(
        sound={
            name: steps.clone()
            for name, steps in hear(model.ears, torch.from_numpy(clip.speech.samples)[None]).items()
        },
        motion=motion,
        emotion=torch.tensor([EMOTIONS.index(clip.emotion.label)]),
        level=torch.ones(1),
        speaker=torch.tensor([1]),
        phones=torch.full((1, 1), -1),
    )
    objective = EmoTalkObjective(model, EmoTalkObjectiveConfig())
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(130):
        optimiser.zero_grad()
        objective(batch, 0.0)["loss"].backward()
        optimiser.step()
    with torch.no_grad():
        after = objective.validate([batch])
        content, felt = model.content(batch.sound, FRAMES), model.felt(batch.sound, FRAMES)
        jaw = model(content, felt, batch.level, batch.speaker)[0, :, ADA.index("jawPitch")]
    assert after["reconstruction"] < 5e-4 < motion.square().mean()
    assert after["emotion_accuracy"] == 1
    true = motion[0, :, ADA.index("jawPitch")]
    assert torch.corrcoef(torch.stack([jaw, true]))[0, 1] > 0.9
