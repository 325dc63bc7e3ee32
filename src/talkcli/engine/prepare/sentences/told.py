"""Sentences of stories and reports for synthesised speech, written for this project: longer, with pauses."""

from __future__ import annotations

TOLD: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    Before the war, my family owned a small paper mill by the river.
    The boat moved slowly past the empty warehouses.
    An old woman with a basket of apples waved from the bridge.
    Above the pub, somebody was playing a violin very badly.
    The bakery smelled of warm butter and vanilla.
    In the middle of the forest stood a tower without a door.
    Five people waited on the platform, and none of them spoke.
    When the fog lifted, we saw that the ferry had never left.
    The wolf followed the sheep home and became a very good watchdog.
    Both brothers wanted the farm, but neither wanted the work.
    Winter came early that year, and the pipes froze before November.
    A tiny frog jumped from one leaf to the other.
    Mabel opened the envelope, and five feathers fell out.
    Over the years, the path became a road, and the road a highway.
    The beaver built a dam out of broken furniture.
    Up on the moor, the wind never really stops.
    Thousands of bees moved into the empty chimney.
    The professor wiped his glasses and began to laugh.
    By noon, the whole village knew about the missing painting.
    A white van was parked beneath the maple tree.
    Grandfather whittled a whistle from a piece of willow.
    The emperor gave his favourite poet a palace full of books.
    Nobody moved, for the bear was still looking at them.
    First she was a pilot, then a plumber, and finally a priest.
    The map led them through a swamp, over a hill and up to a brick wall.
    My mother, who was never afraid of anything, hid behind the sofa.
    Fresh snow covered the roofs, and the bells sounded muffled.
    The film begins with a phone that rings in an empty room.
    A purple carpet of heather stretched as far as the eye could see.
    Water dripped from the roof of the cave, drop by drop.
    He bowed, put on his hat, and walked out of the room.
    The boy blew on his fingers, for he had lost both gloves.
    A thief may climb a fence, but a fox will dig beneath it.
    Every morning, the fishermen of the village push their boats into the waves.
    The judge believed the farmer, and the farmer never forgot it.
    Far below, the river wound through the valley like a ribbon.
    It rained for five weeks, and then it rained some more.
    The chef threw the pepper over his shoulder and wept.
    One by one, the lamps along the avenue went out.
    A puff of smoke rose above the volcano.
    The queen had a vivid memory, a loud voice and a very small army.
    As the bus pulled away, Mary noticed the baby's shoe on the pavement.
    Wherever he went, a brown goose followed him.
    The barber had warm hands and a mild manner.
    Five hundred people voted for the mayor, and four of them regretted it.
    The house by the lake had been empty for as long as I could remember.
    A mouse can live for months on the crumbs of a bakery.
    Some of the maps were wrong, and all of them were beautiful.
    The moon rose, huge and yellow, over the roofs of the town.
    Pebbles flew from beneath the wheels of the wagon.
    After supper, they pushed back the tables and began to dance.
    The young woman behind the desk smiled, but shook her head.
    Whoever built this wall knew nothing about bricks.
    We moved from room to room, and every room was colder than the one before.
    The baby seal barked, rolled over, and fell asleep.
    For a moment, the whole theatre held its breath.
    The pavement was wet, the bank was shut, and my umbrella was at home.
    Behind the mirror was a door, and behind the door a stairway.
    Bright yellow butterflies hovered over the cabbages.
    The mule would not move, so they moved the village instead.
    My father fixed the pump with a fork and a piece of rope.
    She wrote a poem about her thumb, and it won a prize.
    Beyond the hills, a fire was burning.
    The old man remembered every word of the song, though not its name.
    Halfway up the mountain, Paul realised that he had forgotten the rope.
    A boom shook the windows, and all the birds flew up at once.
    In those days, a loaf of bread cost less than a button.
    The mayor, a man of few words, opened the bridge by walking over it.
    They found the boat the following morning, upside down in the reeds.
    Two policemen pushed the elephant out of the museum.
    The voyage took five months, and the beer lasted for two.
    Smoke from the forest fires made the evening sky bright orange.
    A loyal friend is worth more than a pile of coins.
    The choir was small, but its voice filled the chapel.
    Evelyn bought the vineyard with the money from her third novel.
    What began as a hobby became the biggest bookshop in Poland.
    The apple never falls far from the tree, unless there is a wave.
    She put the bird on the window frame and waited for it to move.
    From the roof of the hotel you can see five different beaches.
    The bell above the door rang, and a very wet man came in.
    A row of beech trees marks the boundary of our farm.
    Nothing in the brochure had prepared us for the mosquitoes.
    The emperor moth has fine brown wings and feathery feelers.
    When Wilbur woke up, the tent was gone, and so was the bear.
    The pianist lifted her hands, paused, and played the final chord.
    Over breakfast, my aunt told us about her time as a spy.
    The fever broke on the fifth night, and by morning he was asking for pie.
    Both pumps failed, and water poured into the hold.
    The shepherd knew each of his lambs by its voice.
    A broom leaned against the wall, as if it were waiting for somebody.
    The explorers survived on mushrooms, berries and one very old biscuit.
    A few miles above the falls, the river is calm and wide.
    The wedding was simple, the food was wonderful, and the groom was late.
    In the attic we found a box of letters from Havana.
    Bob the blacksmith could bend a bar of iron with his bare hands.
    The pupils laughed, but the teacher did not even smile.
    As far as we know, nobody has ever lived on this island.
    The robin puffed up its feathers against the bitter wind.
    A volcano may sleep for a thousand years, then wake up before breakfast.
    My grandmother saved every ribbon, button and bit of paper.
    The ambassador arrived by bicycle, with his wife on the handlebars.
    Fifty metres below the surface, the water is black.
    They played chess by post, and each game took about five years.
    The first frost killed the beans but spared the pumpkins.
    Wise old owls do not usually wear hats, Webster explained.
    The bottom of the well was covered with silver coins.
    A group of women in blue overalls was repairing the bridge.
    The captain moved the flag, and the battle was over.
    Nobody lives in the lighthouse, yet every evening the lamp is lit.
    We followed the footprints until they came to an end in the middle of the field.
    The mayor's beard caught fire, but everyone was very polite about it.
    Time moves slowly in a waiting room full of worried people.
    The smallest of the five puppies became the best swimmer.
    A heavy fog covered the airport, so the pilots played poker.
    My uncle would have been a fine boxer if he had not been so shy.
    The poet lived above a butcher, below a trombone player.
    Rebels blew up the railway bridge before the army arrived.
    The soup was thin, the beef was tough, and the bill was enormous.
    Beth looked through the window, and a boy with a balloon looked back.
    The sailor's knot held, the rope broke, and the boat drifted off.
    For the first time in his life, Howard was perfectly happy.
    The vase came from a tomb, and the tomb was never found.
    With a puff and a whistle, the train began to move.
    Above all, remember to breathe, said the diver to the boy.
    The moth flew into the flame before anyone could save it.
    The poor young emperor never wanted power.
    As the orchestra tuned up, the oboe player looked for his shoe.
    We put up the tent by the beam of a very weak lamp.
    A wave lifted the raft and threw it over the reef.
    The fair was over, and pieces of paper blew across the empty field.
    Ravens have a good memory for the faces of people.
    The museum of boats has moved into an old brewery.
    Every bottle in the pharmacy had lost its label.
    The bravest of them waded out to where the ice was thin.
    On the way home, the girls made up a song about a purple whale.
    The piper played, and the whole procession began to move.
    A farmer found the bomb while mowing, and called his wife.
    If you listen carefully, you can hear the glacier move.
    Jasmine climbed the rough bark until she reached the lowest branch.
    The whole job took a month, and nobody ever thanked us for it.
    The visitors enjoyed the view, the boys enjoyed the mud.
    Measured from its base below the sea, it is the world's tallest mountain.
    The box was full of bulbs, wires and a very surprised mouse.
    My sister became a firefighter, and my brother writes poems about bees.
    The ship's cook was a broad, silent woman from Peru.
    After a fierce battle on the beach, the crab let go of my thumb.
    A beautiful mosaic was discovered beneath the football pitch.
    The village has a pump, a pub, and more sheep than people.
    He vowed never to leave the valley again.
    The elephants moved off, flapping their ears.
    At the edge of the map, somebody had written a warning.
    Perhaps the most beautiful bridge of all is the one made of rope.
    By evening, both of us were too tired to be afraid.
    The violin had been in the family for over five generations.
    A fine spray of water blew over the wall and into our faces.
    Few people know that the famous painter was also a beekeeper.
    The bush moved, and out came a bishop with a butterfly net.
    We ate the pie, paid for it, and only then were told what was in it.
    Bit by bit, the wall was pulled down and the bricks were sold.
    The tower leans a finger's width more every five years.
    A puppet with a chipped nose watched them from the shelf.
    In the film, the boy is played by a woman of forty.
    The whole family moved into the barn until the roof was repaired.
    My bicycle, which had been stolen in May, came back in November.
    With both hands on the wheel, Ivy steered into the storm.
    They wept, they embraced, and they missed the boat.
    The vet removed a bell, a button and half a trouser leg.
    Now and then, a bus goes by, but nobody ever gets off.
    Ruth chose the smoothest stone and threw it as far as she could.
    The weavers moved their looms up to the roof, where the light was better.
    A ripe plum fell on the philosopher, who thought about wasps instead.
    Everyone was fond of the baker, above all the pigeons.
    The end of the poem is missing, and perhaps it is better that way.
    """.strip().splitlines()
)
