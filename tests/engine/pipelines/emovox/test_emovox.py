"""Choosing emotional speech, with a small DEE of random weights: what is chosen, kept, and left out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from talkcli.engine.audio.emotion2vec import Emotion2vecConfig
from talkcli.engine.audio.log_mel import LogMelConfig
from talkcli.engine.checkpoints.model_file import Meta, save_model
from talkcli.engine.data.clips import load_clips
from talkcli.engine.data.manifest import Entry, read_manifest, write_manifest
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.files import sha256
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.models.deeptalk.dee import Dee
from talkcli.engine.models.deeptalk.dee_config import CoefficientsConfig, DeeConfig
from talkcli.engine.models.deeptalk.fer import Fer, FerConfig
from talkcli.engine.pipelines.emovox import embeddings
from talkcli.engine.pipelines.emovox.emovox import Wanted, curate_emovox
from talkcli.engine.pipelines.emovox.scores import Anchoring, Side
from talkcli.engine.prepare.adapters.sounds import sound_sources
from talkcli.engine.types import EMOTIONS, SPEECH_RATE_HZ
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told, fake_clip, write_corpus

SMALL = DeeConfig(
    speech=LogMelConfig(num_mels=12, prosody=False),
    expression=CoefficientsConfig(),
    audio_width=8, audio_layers=1, motion_width=8, motion_layers=1, heads=2, feedforward=8, embedding=6,
    window=25, fixed_window=True,
)  # fmt: skip
NUM_ANCHORS = 11
STRONG = [index for index in range(NUM_ANCHORS) if EMOTIONS[index % len(EMOTIONS)] not in ("neutral", "calm")]


def saved(path: Path, model: Any, channels: tuple[str, ...] = ADA, head: str = "ada") -> Path:
    meta = Meta(head=head, channels=channels, fps=25, trained_on="nothing", licence="MIT")
    save_model(path, model, meta=meta)
    return path


@pytest.fixture(scope="module")
def dee(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return saved(tmp_path_factory.mktemp("model") / "dee.safetensors", Dee(SMALL))


def at_level(manifest: Path, change: Callable[[Entry], dict[str, Any]]) -> None:
    write_manifest(manifest, [entry.model_copy(update=change(entry)) for entry in read_manifest(manifest)])


@pytest.fixture(scope="module")
def anchors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    manifest = write_corpus(tmp_path_factory.mktemp("anchors"), NUM_ANCHORS)
    at_level(manifest, lambda entry: {"intensity": 1.0})
    return manifest


def write_sound(path: Path, index: int, seconds: float = 2.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = fake_clip(index, frames=round(seconds * 25)).speech.samples
    soundfile.write(path, samples, SPEECH_RATE_HZ, subtype="PCM_16")
    return path


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    """Twelve sounds of 2 s by three speakers."""
    for index in range(12):
        write_sound(tmp_path / "pile" / f"id{index % 3}" / f"{index:02d}.wav", 100 + index)
    return tmp_path / "pile"


class Run:
    """`curate_emovox` in this process into `out`, with what it wrote."""

    def __init__(self, pile: Path, anchors: Path, dee: Path, out: Path) -> None:
        self.pile, self.anchors, self.dee, self.out = pile, anchors, dee, out
        self.told = Told()

    def __call__(self, *, candidates: Path | None = None, **how: Any) -> dict[str, Any]:
        anchoring = {key: how.pop(key) for key in ("level", "emotions", "sides") if key in how}
        run = {"dee": str(self.dee), "list_only": True, "num_workers": 0}
        run |= {key: how.pop(key) for key in ("dee", "list_only", "num_workers") if key in how}
        return curate_emovox(
            candidates or self.pile,
            self.out,
            anchoring=Anchoring(manifest=self.anchors, **anchoring),
            wanted=Wanted(**how),
            device_name="cpu",
            reporter=self.told,
            **run,
        )

    @property
    def listed(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "emovox.jsonl").read_text().splitlines()]

    @property
    def quarantine(self) -> dict[str, str]:
        lines = map(json.loads, (self.out / "quarantine.jsonl").read_text().splitlines())
        return {line["id"]: line["reason"] for line in lines}


@pytest.fixture
def run(pile: Path, anchors: Path, dee: Path, tmp_path: Path) -> Run:
    return Run(pile, anchors, dee, tmp_path / "out")


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Digests of the clips that went through the model."""
    seen: list[str] = []
    embed = embeddings._embed

    def count(embedder: Any, digest: str, recording: Any) -> Any:
        seen.append(digest)
        return embed(embedder, digest, recording)

    monkeypatch.setattr(embeddings, "_embed", count)
    return seen


def test_scores_are_the_highest_cosines_to_the_anchors(run: Run, dee: Path) -> None:
    document = run(threshold=-1.0)
    assert document["anchors"] == {"speech": len(STRONG), "motion": len(STRONG)}
    assert (document["candidates"], document["scored"], document["chosen"]) == (12, 12, 12)
    model, _ = embeddings.load_dee(embeddings.Embedder(weights=dee, digest="", device="cpu"))
    vectors, names = [], []
    clips = {clip.id: clip for clip in load_clips(run.anchors, None, Told())}
    with torch.inference_mode():
        for index in STRONG:
            clip = clips[f"clip{index:03d}"]
            heard = model.embed_speech(
                {"log_mel": model.log_mel(torch.from_numpy(clip.speech.samples)[None])}
            )
            seen = model.embed_motion(torch.from_numpy(clip.motion.coeffs)[None])
            vectors += [heard.mean[0].numpy(), seen.mean[0].numpy()]
            names += [(clip.id, "speech", clip.emotion.label), (clip.id, "motion", clip.emotion.label)]
        for line in run.listed:
            samples, _ = soundfile.read(line["path"], dtype="float32")
            mean = model.embed_speech({"log_mel": model.log_mel(torch.from_numpy(samples)[None])}).mean[0]
            cosines = np.stack(vectors) @ mean.numpy()
            assert line["score"] == pytest.approx(cosines.max(), abs=2e-6)
            assert (line["anchor"], line["side"], line["emotion"]) == names[cosines.argmax()]
            assert line["seconds"] == 2.0
            assert line["speaker"] == Path(line["path"]).parent.name
    scores = [line["score"] for line in run.listed]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("sides", [("speech",), ("motion",)])
def test_one_side_of_the_anchors_alone(run: Run, sides: tuple[Side, ...]) -> None:
    document = run(threshold=-1.0, sides=sides)
    assert document["anchors"][sides[0]] == len(STRONG)
    assert sum(document["anchors"].values()) == len(STRONG)
    assert {line["side"] for line in run.listed} == set(sides)


def test_hours_take_the_best_and_tell_their_threshold(run: Run) -> None:
    document = run(hours=9.0 / 3600)
    assert (document["chosen"], document["hours"]) == (4, round(8 / 3600, 4))
    chosen = [line["id"] for line in run.listed if line["chosen"]]
    assert chosen == [line["id"] for line in run.listed[:4]]
    again = run(threshold=document["threshold"])
    assert [line["id"] for line in run.listed if line["chosen"]] == chosen
    assert again["threshold"] == document["threshold"]


def test_hours_beyond_what_is_there_take_all_and_say_so(run: Run) -> None:
    document = run()
    assert document["chosen"] == 12
    assert run.told.warned("of the 1.3 h wanted")


def test_every_emotion_gets_its_share(run: Run) -> None:
    run(threshold=-1.0, sides=("speech",))
    labels = {line["emotion"] for line in run.listed}
    assert len(labels) > 1
    run(hours=2.0 * len(labels) / 3600, per_emotion=True, sides=("speech",))
    chosen = [line["emotion"] for line in run.listed if line["chosen"]]
    assert sorted(chosen) == sorted(labels)


def test_the_chosen_become_clips(run: Run) -> None:
    document = run(hours=8.0 / 3600, list_only=False)
    entries = read_manifest(Path(document["manifest"]))
    listed = {line["id"]: line for line in run.listed if line["chosen"]}
    assert {entry.id for entry in entries} == set(listed)
    for entry in entries:
        assert (entry.split, entry.motion, entry.intensity) == ("test", None, 1.0)
        assert entry.emotion == listed[entry.id]["emotion"]
        assert entry.audio is not None
        sound, _ = soundfile.read(run.out / entry.audio, dtype="float32")
        true, _ = soundfile.read(listed[entry.id]["path"], dtype="float32")
        assert np.array_equal(sound, true)
    card = (run.out / "CARD.md").read_text()
    for words in ("a prediction, not the truth", str(document["threshold"]), "licence MIT", "best within"):
        assert words in card
    assert document["weights_sha256"] in card


def test_nothing_is_embedded_twice(run: Run, embedded: list[str]) -> None:
    run(hours=0.001)
    assert len(embedded) == 12 + len(STRONG)
    first = run.listed
    run(hours=0.001)
    assert len(embedded) == 12 + len(STRONG)
    assert run.listed == first
    # Another file where one was, and one more: only these.
    write_sound(run.pile / "id0" / "00.wav", 900)
    write_sound(run.pile / "id0" / "50.wav", 901)
    run(hours=0.001)
    assert len(embedded) == 14 + len(STRONG)


def test_a_killed_run_goes_on(run: Run, embedded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killing(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding candidates" and done == 5:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(run.told, "progress", killing)
        with pytest.raises(Killed):
            run(hours=0.001)
    assert len(embedded) == len(STRONG) + 5
    assert not (run.out / "emovox.jsonl").exists()
    run(hours=0.001)
    assert len(embedded) == len(set(embedded)) == len(STRONG) + 12


def test_damaged_embeddings_are_made_again(run: Run, embedded: list[str]) -> None:
    run(hours=0.001)
    first, count = run.listed, len(embedded)
    files = sorted((run.out / "embeddings" / "candidates").rglob("*.npz"))
    content = files[0].read_bytes()
    files[0].write_bytes(content[: len(content) // 2])
    files[1].write_bytes(b"")
    np.savez(files[2], ids=np.float32(3))
    flipped = bytearray(files[3].read_bytes())
    flipped[len(flipped) // 2] ^= 16
    files[3].write_bytes(flipped)
    run(hours=0.001)
    assert count + 3 <= len(embedded) <= count + 4
    assert run.listed == first


def test_other_weights_are_other_embeddings(run: Run, embedded: list[str], tmp_path: Path) -> None:
    run(hours=0.001)
    first, count = run.listed, len(embedded)
    torch.manual_seed(1)
    run(hours=0.001, dee=str(saved(tmp_path / "other.safetensors", Dee(SMALL))))
    assert len(embedded) == 2 * count
    assert run.listed != first


def test_what_cannot_be_heard_is_in_quarantine(run: Run) -> None:
    (run.pile / "empty.wav").write_bytes(b"")
    (run.pile / "text.wav").write_text("no sound at all, but a few words")
    soundfile.write(run.pile / "silent.wav", np.zeros(SPEECH_RATE_HZ * 2), SPEECH_RATE_HZ)
    whole = (run.pile / "id0" / "00.wav").read_bytes()
    (run.pile / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (run.pile / "id0" / "01 .flac").symlink_to(run.pile / "nowhere")
    document = run(hours=0.001)
    assert (document["scored"], document["not_heard"]) == (12, 5)
    assert set(run.quarantine) == {"empty", "text", "silent", "cut", "id0/01_"}
    assert "silent" in run.quarantine["silent"]
    assert "0 bytes" in run.quarantine["empty"]
    assert not {line["id"] for line in run.listed} & set(run.quarantine)


def test_doubles_anchors_and_lengths_are_never_chosen(run: Run) -> None:
    whole = (run.pile / "id0" / "00.wav").read_bytes()
    (run.pile / "z.wav").write_bytes(whole)
    (run.pile / "anchor.wav").write_bytes((run.anchors.parent / "clip003.wav").read_bytes())
    write_sound(run.pile / "short.wav", 300, seconds=0.4)
    write_sound(run.pile / "long.wav", 301, seconds=5.0)
    document = run(threshold=-1.0, longest_s=4.0)
    unfit = {line["id"]: line["unfit"] for line in run.listed if line["unfit"]}
    assert unfit == {
        "z": "the same sound as id0/00",
        "anchor": "it is an anchor itself",
        "short": "it is 0.40 s long",
        "long": "it is 5.00 s long",
    }
    assert (document["not_fit"], document["chosen"]) == (4, 12)
    assert not any(line["chosen"] for line in run.listed if line["unfit"])


def test_an_id_that_occurs_twice_counts_once(run: Run) -> None:
    write_sound(run.pile / "id0" / "00.flac", 500)
    document = run(threshold=-1.0)
    assert document["candidates"] == 13
    assert run.quarantine == {"id0/00": "another clip has this id"}


def test_a_crash_costs_one_clip(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(work: Callable[[Any], Any], jobs: Any, num_workers: int) -> Any:
        for job in jobs:
            ids = {source.id for source in job[1]}
            yield job, None if "id1/01" in ids else work(job)

    monkeypatch.setattr(embeddings, "_DIGITS", 0)
    monkeypatch.setattr(embeddings, "map_isolated", crashing)
    document = run(threshold=-1.0)
    assert (document["scored"], document["not_heard"]) == (11, 1)
    assert run.quarantine == {"id1/01": "the worker process crashed on it"}


def test_candidates_out_of_a_manifest_that_changes(run: Run, tmp_path: Path) -> None:
    manifest = tmp_path / "other" / "manifest.jsonl"
    shutil.copytree(run.anchors.parent, manifest.parent)
    at_level(manifest, lambda entry: {"motion": None, "fps": None} if entry.id == "clip001" else {})
    document = run(candidates=manifest.parent, threshold=-1.0)
    assert (document["scored"], document["not_fit"]) == (NUM_ANCHORS, len(STRONG))
    assert {line["unfit"] for line in run.listed if not line["chosen"]} == {"it is an anchor itself"}
    write_sound(manifest.with_name("clip001.wav"), 700)
    document = run(candidates=manifest, threshold=-1.0)
    assert (document["scored"], document["not_heard"]) == (NUM_ANCHORS - 1, 1)
    assert "hash differs" in run.quarantine["clip001"]


def test_candidates_out_of_voxceleb2(run: Run, tmp_path: Path) -> None:
    for index in range(4):
        write_sound(tmp_path / f"vox/dev/aac/id0001{index % 2}/21Uxsk56VDQ/0000{index}.wav", 200 + index)
    document = run(candidates=tmp_path / "vox", hours=4.1 / 3600, list_only=False)
    assert (document["scored"], document["chosen"]) == (4, 2)
    for entry in read_manifest(run.out):
        assert entry.id.startswith("voxceleb2/id0001")
        assert entry.speaker == "voxceleb2-" + entry.id.split("/")[1]
        assert entry.split == "test"
        assert entry.licence.startswith("VoxCeleb2")


def test_motion_of_another_head_is_not_compared(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(0)
    flame = saved(tmp_path / "flame.safetensors", Dee(SMALL), FLAME, "flame")
    document = run(threshold=-1.0, dee=str(flame))
    assert document["anchors"] == {"speech": len(STRONG), "motion": 0}
    assert run.told.warned("without motion of the head flame")
    with pytest.raises(InputError, match=r"None of .* anchors can be embedded"):
        run(threshold=-1.0, dee=str(flame), sides=("motion",))


def test_anchors_that_are_broken_are_named(run: Run, tmp_path: Path) -> None:
    run.anchors = write_corpus(tmp_path / "broken", NUM_ANCHORS)
    at_level(run.anchors, lambda entry: {"intensity": 0.999})
    (tmp_path / "broken" / "clip003.wav").write_bytes(b"")
    document = run(threshold=-1.0)
    assert document["anchors"]["speech"] == len(STRONG) - 1
    assert run.told.warned(f"Left out 1 of {len(STRONG)} anchors, the first: clip003")


def test_anchors_must_be_there(run: Run, tmp_path: Path) -> None:
    run.anchors = write_corpus(tmp_path / "weak", 10)
    with pytest.raises(InputError, match=r"no anchors: .* at level 1") as raised:
        run(threshold=0.5)
    assert "0.5" in str(raised.value.hint)
    with pytest.raises(InputError, match="no anchors"):
        run(threshold=0.5, emotions=("contempt",), level=0.9)
    assert run(threshold=-1.0, emotions=("neutral",), level=0.5)["anchors"]["speech"] == 2


def test_candidates_must_be_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="neither a manifest nor sound files"):
        run(candidates=tmp_path / "bare", threshold=0.5)
    with pytest.raises(InputError, match="is not a folder"):
        run(candidates=tmp_path / "absent", threshold=0.5)
    (tmp_path / "bare" / "a.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"DEE can embed none of 1 candidate; the first: a: .*0 bytes"):
        run(candidates=tmp_path / "bare", threshold=0.5)
    assert set(run.quarantine) == {"a"}


def test_when_nothing_reaches_the_threshold_the_scores_are_there(run: Run) -> None:
    with pytest.raises(InputError, match="Nothing is chosen of 12 candidates"):
        run(threshold=1.0)
    assert len(run.listed) == 12
    with pytest.raises(InputError, match="Nothing is chosen"):
        run(hours=1e-6)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"threshold": 0.5, "hours": 1.0}, "two ways to choose"),
        ({"threshold": float("nan")}, "no cosine"),
        ({"threshold": 1.01}, "no cosine"),
        ({"hours": float("nan")}, "not a number above 0"),
        ({"hours": 0.0}, "not a number above 0"),
        ({"hours": float("inf")}, "not a number above 0"),
        ({"threshold": 0.5, "per_emotion": True}, "shares out hours"),
        ({"shortest_s": 5.0, "longest_s": 4.0}, "No clip is between"),
        ({"shortest_s": float("nan")}, "No clip is between"),
        ({"level": float("nan")}, "not between 0 and 1"),
        ({"emotions": ("joy",)}, "'joy' is not one of neutral"),
    ],
)
def test_options_that_cannot_be(run: Run, how: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run(**how)
    assert not run.out.exists()


def test_the_output_lies_apart(run: Run) -> None:
    run.out = run.pile / "out"
    with pytest.raises(UsageError, match="lies in"):
        run(threshold=0.5)
    run.out = run.anchors.parent
    with pytest.raises(UsageError, match="lies in"):
        run(threshold=0.5)


def test_the_output_is_a_folder(run: Run) -> None:
    run.out.write_text("a file")
    with pytest.raises(InputError, match="is a file, a folder is needed"):
        run(threshold=0.5)


def test_kept_embeddings_survive_any_damage(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = {
        f"clip{index}": embeddings.Row(
            f"{index:064x}", rng.standard_normal(6, np.float32), np.full(6, np.nan, np.float32), 2.5
        )
        for index in range(5)
    }
    path = tmp_path / "abc.npz"
    embeddings._write(path, rows)
    whole = embeddings._read(path, 6)
    assert whole.keys() == rows.keys()
    content = path.read_bytes()

    def read(damaged: bytes) -> str:
        path.write_bytes(damaged)
        return repr(embeddings._read(path, 6))

    # Either all is as it was, or nothing is kept.
    survives(read, content, plausible=lambda found: found in (repr(whole), "{}"))


def test_a_model_without_an_embedding(run: Run, tmp_path: Path) -> None:
    fer = saved(tmp_path / "fer.safetensors", Fer(FerConfig(hidden=(6, 5), feature_layer=1)))
    with pytest.raises(InputError, match="holds a fer model, which has no emotion embedding"):
        run(threshold=0.5, dee=str(fer))
    with pytest.raises(InputError, match=r"There is no model file .*absent") as caught:
        run(threshold=0.5, dee=str(tmp_path / "absent"))
    assert "`dee`" in (caught.value.hint or "")


def test_the_embedded_model_has_one_and_is_called_a_stand_in(run: Run, tmp_path: Path) -> None:
    document = run(threshold=-1.0, dee=EMBEDDED)
    assert document["scored"] == 12
    assert run.told.noted("stands in for the published one")


def test_a_dee_of_the_published_form(run: Run, tmp_path: Path) -> None:
    torch.manual_seed(0)
    narrow = Emotion2vecConfig(
        width=8, channels=8, prenet=1, depth=3, heads=2, feedforward=8, positions=1, position_groups=2,
        frozen_blocks=2,
    )  # fmt: skip
    sizes = SMALL.model_dump(include={"audio_width", "motion_width", "heads", "feedforward", "embedding"})
    fer = FerConfig(hidden=(6, 5), feature_layer=1)
    config = DeeConfig(speech=narrow, expression=fer, long="first", **sizes)
    write_sound(run.pile / "long.wav", 800, seconds=12.0)
    document = run(threshold=-1.0, dee=str(saved(tmp_path / "published.safetensors", Dee(config))))
    assert document["chosen"] == 13
    assert document["anchors"] == {"speech": len(STRONG), "motion": len(STRONG)}


def test_several_processes_find_the_same(pile: Path, dee: Path, tmp_path: Path) -> None:
    embedder = embeddings.Embedder(weights=dee, digest=sha256(dee), device="cpu")
    found: dict[int, dict[str, list[float]]] = {}
    for num_workers in (0, 2):
        found[num_workers] = {
            clip: row.speech.tolist()
            for part in embeddings.embed_clips(
                sound_sources(pile),
                embedder,
                tmp_path / f"kept{num_workers}",
                num_workers=num_workers,
                reporter=Told(),
                stage="embedding",
            )
            for clip, row in part.rows.items()
        }
    assert len(found[0]) == 12
    assert found[0].keys() == found[2].keys()
    for clip, vector in found[0].items():
        assert found[2][clip] == pytest.approx(vector, abs=1e-6)
