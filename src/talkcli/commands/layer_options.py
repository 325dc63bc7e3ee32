"""Options of `talk animate` that switch layers over the motion on or off."""

from __future__ import annotations

from typing import Annotated

import typer

_LAYERS = "Layers over the motion (default: on if the model's head is ada)"

Smooth = Annotated[
    bool | None,
    typer.Option(
        "--smooth/--no-smooth",
        help="Filter the motion lightly over time; lip closures stay.",
        rich_help_panel=_LAYERS,
    ),
]
Contacts = Annotated[
    bool | None,
    typer.Option(
        "--contacts/--no-contacts",
        help="Close the lips (p, b, m) and bring the lower lip to the teeth (f, v) where the model "
        "detects these phones.",
        rich_help_panel=_LAYERS,
    ),
]
Tongue = Annotated[
    bool | None,
    typer.Option(
        "--tongue/--no-tongue",
        help="Move the tongue to the ridge behind the teeth (l, t, d, n), between the teeth (th) and to "
        "the palate (k, g, ng), where the phones are known; the motion file has three more channels.",
        rich_help_panel=_LAYERS,
    ),
]
LimitLips = Annotated[
    bool | None,
    typer.Option(
        "--limit-lips/--no-limit-lips", help="Limit the speed of the lips.", rich_help_panel=_LAYERS
    ),
]
Idle = Annotated[
    bool | None,
    typer.Option(
        "--idle/--no-idle", help="Add breathing and small movements in silences.", rich_help_panel=_LAYERS
    ),
]
Blink = Annotated[
    bool | None,
    typer.Option(
        "--blink/--no-blink",
        help="Add blinks and gaze, in place of the model's own.",
        rich_help_panel=_LAYERS,
    ),
]
HeadMotion = Annotated[
    bool | None,
    typer.Option(
        "--head-motion/--no-head-motion",
        help="Turn the head with the speech; the motion file stores this as its pose.",
        rich_help_panel=_LAYERS,
    ),
]
Brows = Annotated[
    bool | None,
    typer.Option(
        "--brows/--no-brows",
        help="Raise the brows on accents, and make the two sides of the face differ.",
        rich_help_panel=_LAYERS,
    ),
]
