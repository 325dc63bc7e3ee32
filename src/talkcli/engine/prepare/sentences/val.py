"""Sentences that only the validation voices read, written for this project: new text for new voices."""

from __future__ import annotations

VALIDATION: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    The bus to Fairview stops beside the old mill.
    Would you put these plums in a paper bag?
    Every evening my uncle oils the wooden gate.
    What a lovely surprise to find you both at home!
    Vera moved the piano away from the window.
    A thick fog rolled over the harbour before dawn.
    Nobody believed the pilot until the film was shown.
    Please measure the shelf twice, then cut it once.
    The judge gave both families a fair amount of time.
    My phone fell into the pond, and a frog answered it.
    Where have you been hiding all these wonderful maps?
    Two brown mules pulled the wagon up the muddy hill.
    If the wind drops, we will row over to the island.
    She whispered the password and waved us through.
    Oh no, the puppy has chewed up my best boots!
    Farmers in this valley grow beans, barley and peppers.
    Her voice was calm, though her hands would not keep still.
    Pam bought five metres of white velvet for the stage.
    I would rather wash the dishes than peel the potatoes.
    The museum opens at noon and closes before supper.
    Did anybody remember to feed the fish?
    Above the village, smoke rose from a dozen chimneys.
    He promised to come by boat, but the river was frozen.
    Follow the path past the chapel and over the bridge.
    The youngest boy enjoys toy trains more than football.
    Watch the moon move behind that enormous cloud.
    We never found out who wrote the poem on the wall.
    Put your shoes by the stove, they are soaking wet.
    A beam of light moved slowly over the cave wall.
    Both of my brothers became bakers.
    The weaver chose blue, yellow and a very pale green.
    Hurry up, or we will miss the beginning of the show!
    George usually has a rough time after a long voyage.
    Some people are happy with a warm bath and a good book.
    Why would a fox live under a football field?
    The map was wrong, the weather was foul, and we were lost.
    Leave the heavy box in the hallway, would you?
    My grandmother could whistle louder than any policeman.
    Fresh bread and apple butter make a fine breakfast.
    By the time we woke, the whole camp was empty.
    """.strip().splitlines()
)
