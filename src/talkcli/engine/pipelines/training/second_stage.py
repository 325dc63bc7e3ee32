"""What trainings with a second stage share: which parts a stage takes, and the judges of its terms."""

from __future__ import annotations

from collections.abc import Sequence

from talkcli.engine.checkpoints.judge_weights import own_file
from talkcli.engine.checkpoints.lip_reader import load_lip_reader
from talkcli.engine.checkpoints.model_file import load_model
from talkcli.engine.errors import UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.judges.lip_reader import LipReader, LipReaderConfig
from talkcli.engine.losses.lip_reading import LipReading
from talkcli.engine.losses.video_emotion import VideoEmotion
from talkcli.engine.pipelines.training.given_parts import GivenParts
from talkcli.engine.pipelines.training.parts import part_config
from talkcli.engine.train.objectives.second_stage import LipReadingTerms
from talkcli.engine.types import Reporter


def check_stage(stage: int, parts: GivenParts, of_stage_1: Sequence[str]) -> None:
    """Raise UsageError for a part that the stage does not take.

    Args:
        stage: 1, or 2, which takes the part `start`.
        parts: Parts of the run.
        of_stage_1: Parts that the model of stage 1 contains.
    """
    if stage == 2:
        unused = [name for name in of_stage_1 if parts.told(name)]
        if unused:
            raise UsageError(f"Stage 2 takes `{unused[0]}` from the model of stage 1.", hint="Leave it out.")
    elif parts.told("start"):
        raise UsageError("`start` is for stage 2.", hint="Add `stage=2`, or leave `start` out.")


def lip_reading(
    objective: LipReadingTerms, head: Head, parts: GivenParts, reporter: Reporter
) -> LipReading | None:
    """Return the lip-reading loss with the part `lip_reader`; None if no term needs it.

    Raises UsageError when it is missing, InputError for a file that is none.
    """
    if not objective.reads_lips:
        return None
    path = parts.published("lip_reader", reporter)
    reader = LipReader(LipReaderConfig()) if path is None else load_lip_reader(path)
    return LipReading(head, reader, follow=objective.lip_crop_follows, recompute=objective.lip_recompute)


def video_emotion(head: Head, parts: GivenParts, reporter: Reporter, *, recompute: bool) -> VideoEmotion:
    """Return the video-emotion loss with the part `emotion_judge`, or with the judge that comes with talk.

    The reporter is told that it stands in for the published network. Raises InputError for a file that is
    none, and AssetError when neither is there.
    """
    path = parts.judge("emotion_judge", own_file("emotion_image") if parts.lacks("emotion_judge") else None)
    part_config(path, "emotion_judge", "emotion_image")
    judge, header = load_model(path)
    reporter.note(
        "The video-emotion loss looks with talk's judge of pictures, a stand-in for the published network."
    )
    if header.head != head.name:
        reporter.warn(
            f"This judge of emotion has seen drawings of {header.head} alone, and here it looks at "
            f"{head.name}."
        )
    return VideoEmotion(head, judge, recompute=recompute)
