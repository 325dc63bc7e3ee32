"""`talk score diversity`: the effect of the sampling controls on diversity and on the lips."""

from __future__ import annotations

from talkcli.commands.options import AsJson, Device, MaxMinutes, Quiet, Seed
from talkcli.commands.score_options import (
    Actor,
    Audio,
    Dataset,
    HeadName,
    Limit,
    Model,
    Report,
    Split,
    Takes,
    Text,
    chosen_split,
    refuse_rules,
)
from talkcli.commands.score_report import write_page
from talkcli.commands.score_tables import show_diversity
from talkcli.commands.score_verdict import check_outputs
from talkcli.console import Console
from talkcli.engine.methods import EMBEDDED
from talkcli.option_names import spoken_reasons

# Performances of each clip where --takes is absent.
_NUM_TAKES = 10


def diversity(
    audio: Audio = None,
    text: Text = None,
    dataset: Dataset = None,
    split: Split = None,
    limit: Limit = None,
    head: HeadName = None,
    model: Model = EMBEDDED,
    actor: Actor = None,
    takes: Takes = None,
    report: Report = None,
    seed: Seed = 0,
    device: Device = "auto",
    max_minutes: MaxMinutes = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure diversity and lips under every setting of DEEPTalk's table 3.

    talk score diversity --dataset ravdess
    """
    from talkcli.engine.audio.limits import limit_sound

    limit_sound(max_minutes)
    chosen = chosen_split(split, dataset)
    refuse_rules(model, "diversity")
    check_outputs({"--report": report}, [audio, text], dataset)
    with Console(as_json=as_json, quiet=quiet) as console:
        from talkcli.engine.pipelines.score.diversity import diversity_table
        from talkcli.engine.pipelines.score.generation import Generation

        generation = Generation(
            model_name=model, device_name=device, actor=actor, takes=takes or _NUM_TAKES, seed=seed
        )
        found = diversity_table(
            audio=audio,
            dataset=dataset,
            split=chosen,
            text=text,
            limit=limit,
            head_name=head,
            generation=generation,
            reporter=console,
        )
        found = spoken_reasons(found)
    show_diversity(console, found)
    if report is not None:
        from talkcli.engine.pipelines.score.sources import Sources

        sources = Sources(audio=audio, dataset=dataset, split=chosen, text=text, limit=limit, head_name=head)
        write_page(report, found, show_diversity, sources=sources, generation=generation, console=console)
