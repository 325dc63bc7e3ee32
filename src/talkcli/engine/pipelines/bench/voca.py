"""VOCA at its published size for VOCASET, and its published algorithm, which makes every window anew.

Axis names: `steps` (50 Hz), `classes`, `frames` (60 fps), `values` of a face.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.device import seeded
from talkcli.engine.models.ctc import CLASSES
from talkcli.engine.models.phones import STEP_HZ
from talkcli.engine.models.voca import PLACE_HZ, PLACES, Halving, Voca, VocaConfig
from talkcli.engine.pipelines.bench.contest import Comparison, Contest
from talkcli.engine.types import SPEECH_RATE_HZ

_NUM_VALUES = 3 * 5023


def contest(seconds: float) -> Contest:
    """Return VOCA at its published size, without its front-end: logits are there. The released code cuts the
    windows out of the interpolated logits and runs the network on each.
    """
    model = _published()
    logits = torch.randn(1, round(seconds * STEP_HZ), len(CLASSES), generator=seeded(0))
    samples = torch.zeros(1, round(seconds * SPEECH_RATE_HZ))

    def motion(sound: Float[Tensor, "1 samples"]) -> Float[Tensor, "1 frames values"]:
        count = max(round(sound.shape[1] / SPEECH_RATE_HZ * STEP_HZ), 1)
        return model.generate(sound, logits=logits[:, :count], step_hz=float(STEP_HZ))

    return Contest(
        model=model,
        sizes="VOCASET, as published",
        ways={"without front-end": motion},
        comparison=Comparison(
            what=f"{model.frames_of(samples.shape[1])} frames from logits to vertices",
            ours=lambda: motion(samples),
            published=lambda: window_by_window(model, logits, model.frames_of(samples.shape[1])),
        ),
    )


@torch.inference_mode()
def window_by_window(
    model: Voca, logits: Float[Tensor, "1 steps classes"], frames: int
) -> Float[Tensor, "1 frames values"]:
    """Return the motion of the first subject by the released algorithm, in torch's own layers."""
    at = torch.arange(frames) * (STEP_HZ / PLACE_HZ)
    lower = at.floor().long().clamp_max(logits.shape[1] - 1)
    upper = (lower + 1).clamp_max(logits.shape[1] - 1)
    share = (at.clamp_max(logits.shape[1] - 1) - lower)[:, None]
    places = F.pad(
        logits[0, lower] * (1 - share) + logits[0, upper] * share, (0, 0, PLACES // 2, PLACES // 2)
    )
    subject = F.one_hot(torch.tensor([0]), model.config.identity).float()
    norm, neutral = model.norm, model.neutral
    assert neutral is not None
    made = []
    for frame in range(frames):
        x = places[frame : frame + PLACES]
        x = (x - norm.mean) / (norm.variance + 1e-5).sqrt() * norm.gamma + norm.beta
        x = torch.cat([x, subject.expand(PLACES, -1)], dim=1).T[None]
        for halving in model.halvings:
            assert isinstance(halving, Halving)
            kernel = halving.weights.squeeze(1).permute(2, 1, 0)
            x = F.relu(F.conv1d(F.pad(x, (0, 1)), kernel, halving.biases, stride=2))
        x = torch.cat([x.flatten(1), subject], dim=1)
        for layer, activate in ((model.hidden, torch.tanh), (model.shape, None), (model.outward, None)):
            x = F.linear(x, layer.weights.T, layer.biases)
            x = x if activate is None else activate(x)
        made.append(x)
    return torch.stack(made, dim=1) + neutral.flatten()


def _published() -> Voca:
    """Return a network of the published size with random weights, the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Voca(VocaConfig(fps=PLACE_HZ), _NUM_VALUES)
    return model.eval()
