"""Sizes of MeshTalk's networks; the defaults are those of the published weights, at the 25 fps of talk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from talkcli.engine.types import Config, Dropout, Layers, Width


class LatentConfig(Config):
    """Sizes of step 1: encoders of speech and expression, the latent, and the decoder of meshes."""

    heads: Annotated[int, Field(gt=0, le=256)] = 16
    """Number of categorical variables of a frame; 64 in the paper."""
    classes: Annotated[int, Field(gt=1, le=4096)] = 128
    """Number of classes of each."""
    width: Width = 128
    """Width of the codes of speech and expression, and of the decoder's state."""
    expression_width: Width = 256
    """Width of the first layer of the encoder of expressions."""
    mesh_widths: tuple[Width, Width] = (512, 256)
    """Widths of the two outer layers of the decoder of meshes."""
    dropout: Dropout = 0.2
    """Dropout of the encoder of speech."""
    fps: Literal[25, 30] = 25
    """Frames of the motion per second: 25 where talk trains; 30 in the published weights, whose frames are
    533 samples apart."""


class MeshTalkConfig(Config):
    """Sizes of step 2, the context model, with those of step 1."""

    latent: LatentConfig = LatentConfig()
    """Sizes of step 1; the part `prior` sets them."""
    hidden: Width = 64
    """Channels of a variable in every layer."""
    dilations: Annotated[tuple[Layers, ...], Field(min_length=1, max_length=16)] = (1, 2, 4, 8)
    """Distance in frames of the two earlier frames that each layer sees."""
