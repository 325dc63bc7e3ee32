"""Trained models as performers: they turn speech into motion with its layers.

Axis names: `samples` (16 kHz), `frames` (the model's fps), `coeffs`, `values` of a frame (coefficients, or
coordinates of vertices).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.checkpoints.model_file import Header, load_model
from talkcli.engine.device import resolve_device, seeded, settle_threads
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.template import Template
from talkcli.engine.files import sha256
from talkcli.engine.finish.stack import Layers, lay_over, within_range
from talkcli.engine.finish.tongue import tongue_of_shares
from talkcli.engine.models.phone_path import phones_heard
from talkcli.engine.origin import generated_by
from talkcli.engine.performers.performer import Controls, Sampling
from talkcli.engine.types import AnyMotion, Motion, Reporter, Silent, Speech, VertexMotion

Precision = Literal["fp32", "bf16"]
# Layers that need the probabilities of phones.
_OF_PHONES = ("contacts", "tongue")
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class TrainedPerformer:
    """A loaded model, with what is known of its origin.

    The model performs with its own `generate(samples, generator=...)`, which returns the frames of a batch of
    one: coefficients, or x, y, z of vertex after vertex in metres. A model of vertices has the face at rest
    in a buffer `neutral`. Methods with controls of their own derive from this class.
    """

    controls: type[Controls] = Controls

    def __init__(
        self,
        path: Path,
        header: Header,
        device_name: str,
        *,
        precision: Precision = "fp32",
        layers: Mapping[str, bool | None] | None = None,
        template: Template | None = None,
    ) -> None:
        """Load the model file `path`.

        Args:
            path: Model file.
            header: Header of that file, which the caller has read.
            device_name: Device as `resolve_device` takes it.
            precision: Number format of the network; bf16 computes in bfloat16 where torch's autocast does.
            layers: Layers to switch on or off, as `Layers.chosen` takes them; None for those that draw
                nothing at random.
            template: Face at rest of a model of vertices; None for the model's own.

        Raises:
            InputError: When the file does not hold what its header says.
            UsageError: For layers that the model cannot have, and for a template that does not fit.
            AssetError: When a model of vertices has no face at rest of its own, and none is given.
        """
        named = header.head
        # The head loads before the weights, so that a missing file is found at once. Layers that need phones
        # wait for the model; they need ada, whose file is never missing.
        early = _layers(header, None if layers is None else {**layers, **dict.fromkeys(_OF_PHONES, False)})
        self._head = load_head(named) if replace(early, contacts=False).need_head else None
        self.device = resolve_device(device_name)
        self.precision = precision
        self.model: Any
        self.header: Header
        # The weights of a small network are small tensors too: see SMALL.
        settle_threads()
        self.model, self.header = load_model(path, self.device)
        settle_threads(self.model)
        deaf = () if self.hears_contacts else _OF_PHONES
        for name in deaf:
            if layers is not None and layers.get(name):
                raise UsageError(
                    f"`{name}` is for models with a phone encoder, and {path} has none.",
                    hint="Leave it out, or train with a recipe whose content is of the kind phones.",
                )
        self.layers = replace(_layers(header, layers), **dict.fromkeys(deaf, False))
        if self._head is None and self.layers.need_head:
            self._head = load_head(named)
        self._triangles = self._rest_on(template)
        self.sha256 = sha256(path)
        self.made_by: dict[str, Any] = {
            "origin": generated_by(self.header.method, self.sha256).model_dump(exclude_none=True),
            "method": self.header.method,
            "weights_sha256": self.sha256,
            "weights_licence": self.header.licence,
            "precision": precision,
            **({} if template is None else {"template": template.name}),
        }

    @property
    def hears_contacts(self) -> bool:
        """Whether the model predicts contacts of lips, teeth and tongue."""
        return False

    def cast(self, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:
        """See `Performer`."""
        return self.cast_of(self.model.config, sampling, reporter)

    @classmethod
    def cast_of(cls, config: Any, sampling: Sampling, reporter: Reporter) -> tuple[Sampling, bool]:  # noqa: ARG003
        """Do the work of `cast` with the config of a model, which need not be loaded.

        A model that was trained without names of speakers has no actors. Raises UsageError for a given actor.
        """
        if sampling.actor is not None:
            raise UsageError("`actor`: this model knows no speakers.", hint="Leave it out.")
        return sampling, False

    def perform(
        self,
        speech: Speech,
        sampling: Sampling,
        controls: Controls | None = None,
        emotion_speech: Speech | None = None,
    ) -> Iterator[AnyMotion]:
        """See `Performer`; frame k of a model of 25 fps belongs to samples 640 k to 640 (k + 1)."""
        own = self.own(controls)
        own.check(sampling)
        self.cast(sampling, Silent())
        if sampling.emotion is not None or emotion_speech is not None:
            raise UsageError(
                f"`emotion`: a {self.header.method} model takes the emotion only from the voice.",
                hint="Leave it out, or choose a model with an emotion control.",
            )
        return self._plain_takes(speech, sampling, own)

    def own(self, controls: Controls | None) -> Any:
        """Return `controls`, or the method's defaults for None. Raises TypeError for controls of another
        method.
        """
        own = self.controls() if controls is None else controls
        if not isinstance(own, self.controls):
            raise TypeError(f"{type(own).__name__} are no controls of {self.header.method}")
        return own

    def _plain_takes(self, speech: Speech, sampling: Sampling, controls: Controls) -> Iterator[AnyMotion]:
        for take in range(sampling.takes):
            with self._autocast(), torch.inference_mode():
                made = self._generate(speech, sampling, take, controls)
            yield self._finished(made, speech, sampling, take, is_random=controls.is_random)

    def _generate(
        self,
        speech: Speech,
        sampling: Sampling,
        take: int,
        controls: Controls,  # noqa: ARG002  for methods with controls
    ) -> Float[torch.Tensor, "1 frames values"]:
        """Return the frames that the model makes of a take."""
        generator = self._generator(sampling, take)
        made: torch.Tensor = self.model.generate(self._batch(speech), generator=generator)
        return made

    def _finished(
        self,
        made: Float[torch.Tensor, "1 frames values"],
        speech: Speech,
        sampling: Sampling,
        take: int,
        *,
        is_random: bool,
        contacts: Float[torch.Tensor, "1 frames contacts"] | None = None,
        lingual: Float[torch.Tensor, "1 steps lingual"] | None = None,
        phones: Float[torch.Tensor, "1 steps phones"] | None = None,
    ) -> AnyMotion:
        """Return the motion of one take: the frames that the model made, with layers over coefficients.

        Args:
            made: Frames that the model made of `speech`.
            speech: Speech that was performed; the layers need it.
            sampling: Seed and emotion, for the layers.
            take: Number of the take, from 0.
            is_random: Whether the takes of the model differ.
            contacts: Probabilities of contacts; None when the model predicts none.
            lingual: Probabilities of the tongue's sounds at 50 Hz; None when the model predicts none.
            phones: Probabilities of phones at 50 Hz; None when the model predicts none.
        """
        values = self._checked(made[0].float().cpu().numpy())
        if self.header.num_verts is not None:
            return self._vertices(values)
        # When nothing but layers is random, all takes get the layers of the first: they are one performance.
        motion = self._motion(values)
        tongue = None
        if lingual is not None:
            tongue = tongue_of_shares(lingual[0].float().cpu().numpy(), motion.num_frames, motion.fps)
        motion = lay_over(
            motion,
            speech,
            self.layers,
            self._head,
            contacts=None if contacts is None else contacts[0].float().cpu().numpy(),
            tongue=tongue,
            seed=sampling.seed,
            take=take if is_random else 0,
            emotion=sampling.emotion,
        )
        said = None
        if phones is not None:
            said = phones_heard(phones[0].float().cpu().numpy(), motion.duration_s)
        return replace(motion, alignment=said, meta=self.made_by)

    def _rest_on(self, template: Template | None) -> Int[np.ndarray, "faces 3"] | None:
        """Give the model the face at rest of `template`, and return the triangles.

        Models that were published as offsets alone have zeros in the buffer `neutral`.
        """
        if self.header.num_verts is None:
            if template is not None:
                raise UsageError(
                    f"`template` is for models of vertices, but a {self.header.method} model moves channels "
                    "of a head.",
                    hint="Leave it out.",
                )
            return None
        if template is None:
            if not self.model.neutral.any():
                raise AssetError(
                    f"The model makes offsets of vertices of {self.header.head}, and has no face at rest to "
                    "add them to.",
                    hint="Give `template`: templates.pkl of the data set, or a .ply, .obj or .npy with "
                    f"{self.header.num_verts} vertices.",
                )
            return None
        template.check_fits(self.header.head, self.header.num_verts)
        with torch.no_grad():
            self.model.neutral.copy_(torch.from_numpy(template.vertices))
        return template.faces

    def _generator(self, sampling: Sampling, take: int) -> torch.Generator:
        # The factor gives neighbouring seeds different streams: take 1 of seed 0 is not take 0 of seed 1.
        return seeded(sampling.seed * 1_000_003 + take, self.device)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def _checked(self, values: Float[np.ndarray, "frames values"]) -> Float[np.ndarray, "frames values"]:
        """Return `values`. Raises InputError when they are not finite, as far too large weights make them."""
        if not np.isfinite(values).all():
            raise InputError(
                "The model made motion with values that are not finite numbers.",
                hint="Give another `model`, or train it again.",
            )
        return values

    def _vertices(self, values: Float[np.ndarray, "frames values"]) -> VertexMotion:
        """Return a motion of the coordinates that the model made."""
        return VertexMotion(
            vertices=values.reshape(len(values), -1, 3),
            neutral=self.model.neutral.float().cpu().numpy(),
            fps=float(self.header.fps),
            topology=self.header.head,
            faces=self._triangles,
            meta=self.made_by,
        )

    def _motion(self, coeffs: Float[np.ndarray, "frames coeffs"]) -> Motion:
        """Return a motion of the coefficients that the model made, limited to the range of its channels.

        Models exceed that range slightly.
        """
        return within_range(
            Motion(
                coeffs=coeffs,
                fps=float(self.header.fps),
                head=self.header.head,
                channels=self.header.channels,
            )
        )

    def _batch(self, speech: Speech) -> torch.Tensor:
        return torch.from_numpy(speech.samples)[None].to(self.device)


def _layers(header: Header, wishes: Mapping[str, bool | None] | None) -> Layers:
    """Return the layers of a model; a model of vertices has none. Raises UsageError for those that it cannot
    have.
    """
    if header.num_verts is not None:
        asked = [name for name, wish in (wishes or {}).items() if wish]
        if asked:
            raise UsageError(
                f"`{asked[0]}` moves channels of a head, but a {header.method} model makes vertices.",
                hint="Leave it out.",
            )
        return Layers()
    return Layers.steady(header.head) if wishes is None else Layers.chosen(header.head, wishes)
