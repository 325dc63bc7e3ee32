"""Sizes and variants of CodeTalker's predictor (`models/codetalker/codetalker.py`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from talkcli.engine.models.codetalker.autoencoder import CodeTalkerVqConfig
from talkcli.engine.models.frame_by_frame import FrameByFrameConfig
from talkcli.engine.types import Layers, Width, WindowFrames

# Frames of the windows that are made side by side, unless the config says another number.
_PARALLEL = 200


class CodeTalkerConfig(FrameByFrameConfig):
    """Sizes of the predictor; the defaults are those for VOCASET, at the 25 fps of talk's training."""

    prior: CodeTalkerVqConfig = CodeTalkerVqConfig()
    """Settings of the auto-encoder; those of the given codetalker_vq model replace them."""
    width: Width = 1024
    """Number of channels of the decoder."""
    layers: Layers = 6
    """Number of layers of the decoder: 6 for VOCASET, 12 for BIWI."""
    feedforward: Width = 2048
    """Number of hidden units of a layer's perceptron, twice the width as published."""
    exact_frames: Annotated[int, Field(ge=0, le=1 << 12)] = 600
    """Largest number of frames that are made as in the published code, which decodes all frames so far after
    every frame and ends at 600. Longer motion is made with windows."""
    feedback_window: WindowFrames = 32
    """Number of the newest frames that are decoded together after every frame of longer motion."""
    parallel_window: WindowFrames | None = None
    """Number of frames of the windows that are made side by side; None: 200, but at least two overlaps."""
    parallel_feedback: WindowFrames = 8
    """Number of the newest frames that are decoded together after every frame of such windows."""
    window: WindowFrames = 600
    """Largest number of frames that the speech encoder hears, a frame attends to, and the end decodes at
    once; longer motion has such windows."""

    @model_validator(mode="after")
    def _check_parallel(self) -> CodeTalkerConfig:
        frames = self.parallel_window
        if frames is not None and 2 * self.overlap > frames:
            raise ValueError(f"overlap {self.overlap} is more than half of parallel_window {frames}")
        if frames is not None and frames > self.window:
            raise ValueError(f"parallel_window {frames} is longer than window {self.window}")
        return self

    @property
    def parallel_frames(self) -> int:
        """Number of frames of the windows that are made side by side."""
        return self.parallel_window or min(max(_PARALLEL, 2 * self.overlap), self.window)

    @property
    def motion(self) -> Literal["vertices", "coefficients"]:
        """Meaning of the values of a frame."""
        return self.prior.motion
