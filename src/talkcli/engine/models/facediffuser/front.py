"""All steps of a diffusion at once: a front that moves through steps and frames.

Axis names: `frames`, `steps` of the sampler, `rows` of the front, `state` (a frame of the diffusion),
`width`, `gates`, `values`. The recurrent layers only look back, so step s of frame k needs step s of frame
k - 1 and step s - 1 of frame k: all pairs with the same s + k can be computed at once. One front computes
them as the rows of one matrix product. There are frames + steps - 1 fronts, where the published loop has
frames * steps products of one row.

A step mixes clean and noisy motion linearly, and the network sees the noisy one through a linear map W. So,
unless plain, the diffusion runs in the space of W x, which is small (512 for VOCASET's 15,069 coordinates);
noise there is drawn with the covariance W W^T. Only the last step, which is the network's prediction alone,
makes values of faces. That is the same distribution, and for the same noise the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from talkcli.engine.nn.diffusion import Step

# Noise of rows of a front: number of the first draw, number after the last one, and the sum of draw and frame
# in each row. Draw 0 is what the diffusion begins with, draw s + 1 what step s adds.
Draw = Callable[[int, int, int], Float[Tensor, "rows state"]]


class Front:
    """A sampler of one network, with what does not depend on speech computed once."""

    def __init__(self, model: Any, path: list[Step]) -> None:
        """Take the network and the steps of its sampler."""
        self.model, self.path = model, path
        like = model.outward.weight
        self._like = like
        columns = [[s.of_clean, s.of_noisy, s.of_noise] for s in path]
        self._mix = torch.tensor(columns, dtype=torch.float64).to(like)
        self._adds_noise = any(step.of_noise for step in path)
        width, gru = model.config.width, model.gru
        # Of each recurrent layer: matrix and bias of its input, and of its past.
        self._layers: list[tuple[Tensor, ...]] = [tuple(weights) for weights in gru.all_weights]
        from_input, _, input_bias, _ = self._layers[0]
        inside = gru.input_size
        # The norm's scale and shift become a part of the first layer: norm(x) = (x - mean) / deviation.
        first = from_input * model.norm.weight
        shift = input_bias + F.linear(model.norm.bias, from_input)
        self._shift, self._sums = shift, first.sum(1)
        seen = model.num_values if model.config.plain else width
        heard = inside - seen - width
        self._of_heard, self._of_seen, of_time = first.split([heard, seen, width], dim=1)
        times = model.times_of(torch.tensor([step.time for step in path], device=like.device))
        self._times = F.linear(times, of_time)
        self._time_moments = _moments(times)
        if model.config.plain:
            self._covers = None
        else:
            inward = model.inward.weight.double()
            # The symmetric root of W W^T, also where W has fewer columns than rows. Unlike another factor it
            # does not depend on the signs and rotations of eigenvectors, which differ between machines.
            values, vectors = torch.linalg.eigh(inward @ inward.T)
            self._covers = ((vectors * values.clamp_min(0).sqrt()) @ vectors.T).to(like)

    def drawn(self, generator: torch.Generator | None) -> Draw:
        """Return new noise of the diffusion's space, from `generator`."""
        like, covers = self._like, self._covers
        size = self.model.num_values if covers is None else len(covers)
        device = like.device if generator is None else generator.device

        def draw(first: int, after: int, total: int) -> Tensor:  # noqa: ARG001
            white = torch.randn(after - first, size, generator=generator, device=device, dtype=like.dtype)
            white = white.to(like.device)
            return white if covers is None else white @ covers.T

        return draw

    def __call__(
        self, heard: Float[Tensor, "frames heard"], speaker: int, draw: Draw
    ) -> Float[Tensor, "frames values"]:
        """Return clean motion, for vertices as offsets from the face at rest."""
        model, like = self.model, self._like
        frames, steps, width = len(heard), len(self.path), model.config.width
        gru, plain = model.gru, model.config.plain
        # In the order of a front's rows: the row of step s has frame total - s, so frames run backwards.
        sound = model.narrowed(heard[None])[0].flip(0)
        of_sound, sound_moments = F.linear(sound, self._of_heard), _moments(sound)
        size = model.num_values if plain else 2 * width
        state = torch.empty(frames, size, device=like.device, dtype=like.dtype)
        clean = torch.empty(frames, width, device=like.device, dtype=like.dtype)
        past = [torch.zeros(steps, width, device=like.device, dtype=like.dtype) for _ in range(2)]
        inside, seen_width = gru.input_size, model.num_values if plain else width
        out, back, offset = self._outward(speaker)
        from_past, past_bias = [layer[1] for layer in self._layers], [layer[3] for layer in self._layers]
        from_input, _, input_bias, _ = self._layers[1]
        for total in range(frames + steps - 1):
            low, high = max(total - frames + 1, 0), min(total, steps - 1) + 1
            rows = slice(low, high)
            places = slice(frames - 1 - total + low, frames - 1 - total + high)
            if low == 0:
                state[places.start] = draw(0, 1, total)[0]
            noisy = state[places]
            seen = noisy if plain else model.smoothed(noisy + model.inward.bias)
            mean, deviation = _statistics(
                [sound_moments[places], _moments(seen), self._time_moments[rows]],
                [inside - seen_width - width, seen_width, width],
                model.norm.eps,
            )
            gates = of_sound[places] + self._times[rows]
            gates = torch.addmm(gates, seen, self._of_seen.T)
            gates = (gates - mean * self._sums) / deviation + self._shift
            first = _gru(gates, past[0][rows], from_past[0], past_bias[0])
            past[0][rows] = first
            gates = F.linear(first, from_input, input_bias)
            second = _gru(gates, past[1][rows], from_past[1], past_bias[1])
            past[1][rows] = second
            if high == steps:
                # The last step leaves nothing but the prediction.
                clean[places.stop - 1] = second[-1]
            mix = self._mix[rows]
            made = torch.addmm(offset, second, back.T) * mix[:, :1]
            made += noisy * mix[:, 1:2]
            if self._adds_noise:
                made += mix[:, 2:] * draw(low + 1, high + 1, total + 1)
            state[places] = made
        return out(clean.flip(0))

    def _outward(self, speaker: int) -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
        """Return the map from the recurrent layers to values, and that to the diffusion's space: matrix and
        offset, which holds the face at rest.
        """
        model = self.model
        if model.config.plain:
            return model.outward, model.outward.weight, model.outward.bias
        style = model.style_of(torch.tensor([speaker], device=self._like.device))[0]
        rest: Tensor = model.outward.bias
        if model.neutral is not None:
            rest = rest + model.neutral.flatten()
        inward = model.inward.weight
        return (
            lambda decoded: model.outward(decoded * style),
            (inward @ model.outward.weight) * style,
            inward @ rest,
        )


def _gru(
    gates: Float[Tensor, "rows gates"],
    past: Float[Tensor, "rows width"],
    weight: Float[Tensor, "gates width"],
    bias: Float[Tensor, " gates"],
) -> Float[Tensor, "rows width"]:
    """Return the next state of a recurrent layer whose input product is `gates`."""
    width = past.shape[1]
    from_past = torch.addmm(bias, past, weight.T)
    reset, update = torch.sigmoid(gates[:, : 2 * width] + from_past[:, : 2 * width]).chunk(2, dim=1)
    new = torch.tanh(torch.addcmul(gates[:, 2 * width :], reset, from_past[:, 2 * width :]))
    return torch.lerp(new, past, update)


def _moments(value: Float[Tensor, "rows width"]) -> Float[Tensor, "rows 2"]:
    """Return mean and population variance of each row."""
    variance, mean = torch.var_mean(value, 1, correction=0)
    return torch.stack([mean, variance], dim=1)


def _statistics(
    moments: list[Float[Tensor, "rows 2"]], widths: list[int], eps: float
) -> tuple[Float[Tensor, "rows 1"], Float[Tensor, "rows 1"]]:
    """Return mean and deviation of rows that are made of parts with these moments and widths."""
    shares = [width / sum(widths) for width in widths]
    mean = sum(share * part[:, :1] for share, part in zip(shares, moments, strict=True))
    variance = sum(
        share * (part[:, 1:] + (part[:, :1] - mean).square())
        for share, part in zip(shares, moments, strict=True)
    )
    return torch.as_tensor(mean), torch.sqrt(torch.as_tensor(variance) + eps)
