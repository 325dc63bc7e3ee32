"""What a performance promises, measured on ada's vertices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from jaxtyping import Float

from talkcli.engine.audio.phones import BILABIALS, LABIODENTALS, PHONES, VOWELS
from talkcli.engine.face.articulators import ARTICULATORS
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.topology import lip_opening_mm
from talkcli.engine.metrics.labiodental_contact import contact
from talkcli.engine.pipelines.score.measured import upper_teeth
from talkcli.engine.rules.perform import perform, style_of
from talkcli.engine.rules.visemes import VISEMES
from talkcli.engine.types import (
    EMOTIONS,
    MODEL_FPS,
    SILENCE,
    SPEECH_RATE_HZ,
    Alignment,
    Emotion,
    Motion,
    Phone,
    Speech,
)

HEAD = load_head("ada")


def aligned(symbols: Sequence[str], durations: Sequence[float]) -> Alignment:
    ends = np.cumsum(durations)
    starts = ends - np.asarray(durations)
    return Alignment(
        tuple(Phone(*item) for item in zip(symbols, starts.tolist(), ends.tolist(), strict=True)), "aligned"
    )


def voiced(alignment: Alignment, level: float = 0.1) -> Speech:
    """A buzz wherever a phone is, near silence elsewhere."""
    samples = 1e-5 * np.ones(round(alignment.phones[-1].end_s * SPEECH_RATE_HZ))
    for phone in alignment.phones:
        if phone.symbol != SILENCE:
            part = slice(round(phone.start_s * SPEECH_RATE_HZ), round(phone.end_s * SPEECH_RATE_HZ))
            samples[part] = level * np.sign(np.sin(np.arange(len(samples[part])) * 0.05))
    return Speech(samples=samples.astype(np.float32))


def babble(seed: int, shortest_s: float = 0.03) -> Alignment:
    """Phones in any order, many of them as short as an aligner makes them, between two silences."""
    rng = np.random.default_rng(seed)
    symbols = rng.choice(sorted(PHONES), 40).tolist()
    durations = np.round(rng.uniform(shortest_s, 0.12, 40), 2).tolist()
    return aligned([SILENCE, *symbols, SILENCE], [0.5, *durations, 0.5])


def play(
    alignment: Alignment, emotion: str = "neutral", *, level: float = 0.1, clip_id: str = "c", seed: int = 0
) -> Motion:
    speech = voiced(alignment, level)
    return perform(speech, alignment, Emotion(label=emotion), speaker="s", clip_id=clip_id, seed=seed)


def vertices(motion: Motion) -> Float[torch.Tensor, "frames verts 3"]:
    return HEAD(torch.from_numpy(motion.coeffs))


def opening_mm(motion: Motion) -> Float[np.ndarray, "frames"]:
    return lip_opening_mm(HEAD.landmarks(vertices(motion))).numpy()


def times(motion: Motion) -> Float[np.ndarray, "frames"]:
    return (np.arange(len(motion.coeffs)) + 0.5) / MODEL_FPS


@pytest.mark.parametrize(("emotion", "seed"), [("neutral", 0), ("happy", 2), ("disgust", 0), ("surprise", 2)])
def test_every_closure_is_reached(emotion: str, seed: int) -> None:
    alignment = babble(seed)
    motion = play(alignment, emotion)
    gap, time = opening_mm(motion), times(motion)
    closures = [phone for phone in alignment.phones if phone.symbol in BILABIALS]
    assert len(closures) >= 3
    for phone in closures:
        assert gap[(time > phone.start_s - 0.04) & (time < phone.end_s + 0.04)].min() < 1.0, phone


@pytest.mark.parametrize("emotion", ["neutral", "fear", "surprise"])
def test_no_lip_vertex_jumps(emotion: str) -> None:
    lips = vertices(play(babble(2), emotion, level=0.5))[:, torch.from_numpy(HEAD.regions["lips"])]
    assert lips.diff(dim=0).norm(dim=-1).max().item() * 1000 < 5.0


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_silence_is_closed(emotion: str) -> None:
    alignment = aligned([SILENCE, "AA", SILENCE, "AE", SILENCE], [0.6, 0.2, 0.6, 0.2, 0.6])
    motion = play(alignment, emotion)
    gap, time = opening_mm(motion), times(motion)
    for phone in alignment.pauses(0.2):
        # 150 ms to come to rest, 80 ms to open ahead of the next sound.
        still = (time > phone.start_s + (0.15 if phone.start_s else 0)) & (time < phone.end_s - 0.08)
        assert gap[still].max() < 1.0
    assert gap.max() > 5.0


@pytest.mark.parametrize("emotion", ["neutral", "surprise"])
def test_labiodentals_meet_the_upper_teeth(emotion: str) -> None:
    alignment = aligned(
        [SILENCE, "AA", "F", "IY", "V", "AA", "S", "AA", SILENCE],
        [0.4, 0.12, 0.09, 0.12, 0.06, 0.12, 0.1, 0.12, 0.4],
    )
    motion = play(alignment, emotion)
    lower = HEAD.regions["lower_lip"]
    lips = vertices(motion)[:, torch.from_numpy(lower)].numpy()
    touching = contact(lips, HEAD.template[lower], upper_teeth(HEAD))
    for phone in alignment.phones[1:-1]:
        inside = np.abs(times(motion) - (phone.start_s + phone.end_s) / 2) < 0.021
        assert touching[inside].any() == (phone.symbol in LABIODENTALS), phone


def test_openness_and_width_order() -> None:
    """Long vowels between /t/: aa > ae > eh > ih > s in opening, and a rounded mouth narrower than a spread
    one.
    """
    symbols = [
        SILENCE,
        *(name for vowel in ("AA", "AE", "EH", "IH", "S", "UW", "IY") for name in ("T", vowel)),
        SILENCE,
    ]
    alignment = aligned(symbols, [0.4, *([0.08, 0.2] * 7), 0.4])
    motion = play(alignment)
    marks = HEAD.landmarks(vertices(motion))
    gap, width = lip_opening_mm(marks).numpy(), (marks[:, 54] - marks[:, 48]).norm(dim=-1).numpy() * 1000
    middle = {p.symbol: np.abs(times(motion) - (p.start_s + p.end_s) / 2).argmin() for p in alignment.phones}
    assert gap[middle["AA"]] > gap[middle["AE"]] > gap[middle["EH"]] > gap[middle["IH"]] > gap[middle["S"]]
    assert width[middle["IY"]] - width[middle["UW"]] > 10
    assert gap[middle["AA"]] - gap[middle["S"]] > 8


@pytest.mark.parametrize("sibilant", ["S", "Z", "SH", "ZH"])
def test_sibilants_are_less_open_than_ih(sibilant: str) -> None:
    symbols = [SILENCE, *("T", "IH", sibilant, "AA", sibilant, "IH") * 2, SILENCE]
    alignment = aligned(symbols, [0.4, *([0.1] * 12), 0.4])
    motion = play(alignment)
    gap, found = opening_mm(motion), dict[str, list[float]]()
    for phone in alignment.phones:
        middle = np.abs(times(motion) - (phone.start_s + phone.end_s) / 2).argmin()
        found.setdefault(phone.symbol, []).append(float(gap[middle]))
    assert np.mean(found[sibilant]) < 0.8 * np.mean(found["IH"])


def test_a_shout_is_in_the_jaw_and_a_murmur_keeps_its_lips() -> None:
    alignment = aligned([SILENCE, "T", "AE", "T", SILENCE], [0.4, 0.1, 0.3, 0.1, 0.4])
    shout, murmur = (play(alignment, level=level) for level in (0.5, 0.01))
    assert opening_mm(shout).max() > 1.2 * opening_mm(murmur).max()
    jaw, lips = (
        shout.coeffs[:, column].max() / murmur.coeffs[:, column].max()
        for column in (ADA.index("jawPitch"), ADA.index("mouthUpperUpLeft"))
    )
    assert jaw > 1.3 * lips > 1.3


def test_the_tongue_shows_between_the_teeth_and_not_behind_them() -> None:
    symbols = [SILENCE, "AH", "TH", "AH", "L", "AH", "T", "AH", "K", "AH", SILENCE]
    alignment = aligned(symbols, [0.4, *([0.12] * 9), 0.4])
    motion = play(alignment)
    out = dict.fromkeys(symbols, 0.0)
    for phone in alignment.phones:
        middle = np.abs(times(motion) - (phone.start_s + phone.end_s) / 2).argmin()
        out[phone.symbol] = motion.coeffs[middle, ADA.index("tongueOut")]
    assert out["TH"] > 0.5 > out["L"] > out["T"] > 0.1 > out["K"]


def test_a_short_pause_relaxes_the_mouth_part_of_the_way() -> None:
    alignment = aligned([SILENCE, "AA", SILENCE, "AA", SILENCE], [0.4, 0.3, 0.12, 0.3, 0.4])
    motion = play(alignment)
    gap, time = opening_mm(motion), times(motion)
    pause = alignment.phones[2]
    least = gap[(time > pause.start_s) & (time < pause.end_s)].min()
    assert 0.5 < least < 0.5 * gap.max()


def test_chance_follows_the_seed_and_the_clip() -> None:
    alignment = babble(3)
    first = play(alignment, "happy").coeffs
    assert first.tobytes() == play(alignment, "happy").coeffs.tobytes()
    assert np.abs(first - play(alignment, "happy", clip_id="d").coeffs).max() > 0.05
    assert np.abs(first - play(alignment, "happy", seed=1).coeffs).max() > 0.05
    assert style_of("a") == style_of("a")
    assert style_of("a") != style_of("b")


def test_an_emotion_is_in_the_upper_face_and_leaves_closures() -> None:
    alignment = babble(4)
    calm, angry = play(alignment, "neutral"), play(alignment, "angry")
    brow = ADA.index("browDownLeft")
    assert angry.coeffs[:, brow].mean() > calm.coeffs[:, brow].mean() + 0.5
    upper = torch.from_numpy(HEAD.regions["upper_face"])
    moved_mm = (vertices(angry)[:, upper] - vertices(calm)[:, upper]).norm(dim=-1).mean() * 1000
    closed = np.array([p.symbol in BILABIALS for p in alignment.phones])
    starts = np.array([(p.start_s + p.end_s) / 2 for p in alignment.phones])[closed]
    at = [np.abs(times(calm) - start).argmin() for start in starts]
    changed_mm = np.abs(opening_mm(angry) - opening_mm(calm))[at].mean()
    assert moved_mm > 3 * changed_mm


def test_eyes_blink_at_a_human_rate() -> None:
    alignment = aligned([SILENCE], [60.0])
    motion = play(alignment)
    lids = motion.coeffs[:, ADA.index("eyeBlinkLeft")]
    num_blinks = int(np.sum((lids[1:] > 0.8) & (lids[:-1] <= 0.8)))
    assert 8 <= num_blinks <= 30
    assert lids.max() > 0.95
    gaze = motion.coeffs[:, ADA.index("eyeLookOutLeft")]
    assert 0.02 < gaze.std() < 0.2


def test_without_eyes_nobody_blinks_or_looks_about() -> None:
    alignment = aligned([SILENCE], [4.0])
    motion = perform(
        voiced(alignment), alignment, Emotion(label="fear"), speaker="s", clip_id="c", eyes=False
    )
    lids = [index for index, name in enumerate(ADA) if name.startswith(("eyeBlink", "eyeLook"))]
    assert np.all(motion.coeffs[:, lids] == 0)
    assert motion.coeffs[:, ADA.index("eyeWideLeft")].mean() > 0.5


def test_ranges() -> None:
    coeffs = play(babble(5), "surprise", level=0.9).coeffs
    assert coeffs.dtype == np.float32
    assert coeffs[:, :50].min() >= 0
    assert coeffs[:, :50].max() <= 1
    assert np.abs(coeffs[:, 50:]).max() < 0.42


def test_every_phone_has_a_viseme_of_known_channels() -> None:
    known = {name for names in ARTICULATORS.values() for name in names}
    assert set(VISEMES) >= PHONES | {SILENCE}
    for symbol, viseme in VISEMES.items():
        assert set(viseme.pose) <= known
        assert (viseme.contact == "lips") == (symbol in BILABIALS)
        assert (viseme.contact == "teeth") == (symbol in LABIODENTALS)
        assert all(name in VISEMES for name, _ in viseme.parts)
        if symbol in VOWELS and not viseme.parts:
            assert viseme.pose["jawPitch"] > 0
