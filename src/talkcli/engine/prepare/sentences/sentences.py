"""Sentences for synthesised speech, written for this project: everyday English with every phone frequent.

Bilabials, labio-dentals and rounded vowels are over-represented, since these are what a mouth must get right.
"""

from __future__ import annotations

SENTENCES: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    My mother made plum jam for the whole family.
    Bob put a big blue ball beside the boat.
    Please pass me the butter and a piece of bread.
    Five very fine foxes live above the farm.
    We drove over the river before five.
    Who knew the moon would move so soon?
    She sees the green sea each evening.
    Paul bought a warm brown coat for winter.
    The puppy jumped up and bumped the lamp.
    Marvin has a marvelous voice for the movies.
    Keep the keys near the wheel, please.
    The weather was awful, so we went to the pool.
    Two blue shoes stood outside the room.
    A purple balloon popped above the table.
    Maybe tomorrow morning my brother will be home.
    Phone your father before you leave.
    The valley is full of violets and ferns.
    Give Eve the leaf and the feather.
    The chef chose a cheap fish dish.
    Judge Jones joined a large garage band.
    Measure the pleasure of a quiet vision.
    Thin threads thicken the thorny bath cloth.
    They gather their feathers with their mother.
    Yellow yachts use young yard workers.
    How now, said the brown cow to the owl.
    The boy enjoyed a noisy toy in the oil.
    I might try to fly my kite by night.
    Snow blows over the open road.
    Father calmly parked the car in the dark yard.
    The cat sat back and grabbed a black bag.
    Ten men sent seven letters to the west.
    Six thick bricks fit in this tin.
    A cup of hot coffee would be lovely.
    The nurse heard the bird first.
    Put the good book by the wooden hook.
    We were wondering where you were on Wednesday.
    What will William want when winter comes?
    Wash the window with warm water.
    Bring me a bottle of apple pepper from the pantry.
    Pam's baby bumped her elbow on a bamboo bench.
    Mamma may bake a plain pumpkin pie.
    The members of the club met in Memphis.
    Amber lamps lit up the empty platform.
    Bumblebees hum among the mint plants.
    People pay a premium for simple comfort.
    Pick up the paper cup and put it by the pump.
    Do you believe in magic, or is it a trick?
    I have never loved a voice more than hers.
    Save your favorite photograph of the festival.
    Half of the staff left after five.
    The vivid fever gave him a vague feeling.
    Vera left her velvet gloves over the sofa.
    Every evening the fog fills the cave.
    Fifty fans followed the famous violin player.
    Move the vase off the shelf before it falls.
    Philip laughed enough for five of us.
    You should use the new blue tube.
    Few students knew the true rule.
    Soon the cool June moon rose over the lagoon.
    Choose a smooth route through the woods.
    The goose flew from the roof to the pool.
    Whose juice is in the cooler?
    Sue grew a few new roots in the cool room.
    The wolf would look for food in the bush.
    Go slowly over the low stone.
    Most of the boats float close to the coast.
    Joe told only the oldest joke he knew.
    Open the window and throw out the old soap.
    Don't go home alone on the open road.
    The queen agreed to meet the team at three.
    He needs to read these three pieces this week.
    She feels relieved when she sleeps deeply.
    Peter keeps his bees beneath the trees.
    Please believe me, the street is clean.
    These peaches seem cheap and sweet.
    Each season we eat beans and cheese.
    The wall is tall and the lawn is small.
    We saw a hawk walk across the lawn.
    August brought a long pause in the talks.
    All the office lost in the storm was a door.
    The dog caught the ball and paused for water.
    Mark had a large heart and a calm father.
    Stop and watch the clock on the box.
    The doctor stopped on top of a rock.
    Are the cars far from the bar?
    My mom wanted hot soup in a pot.
    The happy man ran as fast as he can.
    Grab a snack and sit back at camp.
    Anna had a bad laugh that afternoon.
    The last class had a map of France.
    Can you hand the band a lantern?
    He said the red bed is better.
    Send them twelve fresh eggs for breakfast.
    Ben kept a pen and ten red pencils.
    The best guess is that the rest left.
    Let Emma tell them when the test ends.
    This little kitchen is big enough for six.
    Bill will fill in the missing bits.
    The system is simple if you listen.
    Which ship did the minister visit?
    Her third turn was the worst.
    The early worker learned a firm word.
    Shirley heard a purring bird in the church.
    Circles turn further than curves.
    Some of us run from nothing but summer sun.
    The company comes up with something fun.
    My brother's truck got stuck in the mud.
    Nothing comes above a mother's love.
    The painter stayed away all day.
    They may play games at the lake today.
    Wait, the train is eight hours late.
    Jane gave away the same grape cake.
    The price of rice is quite high.
    I like to ride my bike at night.
    Why did the pilot smile at the child?
    Nine lions lie in the wide shade.
    Our house is down by the mountain.
    The crowd was loud when the clown fell down.
    Now count about a thousand flowers.
    Pour the oil without making noise.
    The royal boy avoids his oily toys.
    Joyce pointed at the coins with joy.
    Check the kitchen chair for a broken catch.
    Charles watched the children march to church.
    The orange juice jar is on the edge.
    John's magic pages were just strange.
    Wish the fish a fresh wash in the ocean.
    She should show some patience with the machine.
    Usually the beige garage is closed.
    The explosion was a decision beyond measure.
    Thank you for the thoughtful birthday cloth.
    Both authors thought the earth was worth it.
    Something is breathing beneath the path.
    Rather than bother them, go together.
    The other brother bathes in the weather.
    Zebras graze in the zoo as usual.
    His eyes were closed because of the breeze.
    Sisters sing six songs at sunset.
    The last glass of ice costs less.
    Nancy sent a nice note on Monday night.
    The dentist needs a new tiny lamp.
    Singing along, the king brought a ring.
    Long strong wings hang along the ceiling.
    Little Lily will tell a long tale.
    The yellow ball rolls slowly along the hall.
    Larry really rarely runs on the road.
    Three red roses grow around the gray rock.
    Quick quiet queens question the quilt.
    Tell Kate to take the cat a can of tuna.
    Ted had a dozen dusty old doors.
    Go get a good bag of green grapes.
    The cook could keep the cake in a cool corner.
    He hopes his whole house holds heat.
    Behind the hill, a horse hurried home.
    You use a unique yellow uniform.
    Beyond the yard, a few young people cheered.
    Is there any chance that we could begin again?
    No, not now, maybe later.
    Yes, of course, I would love to.
    Stop it, put that down, and come here!
    What a beautiful surprise, you made it!
    I am so sorry, I never meant to hurt you.
    Leave me alone, I have had enough of this.
    Oh no, somebody is at the back door.
    That smells awful, throw it away.
    Well, that is just wonderful, thank you so much.
    I cannot believe that you remembered my birthday.
    Nobody ever listens to what I say.
    Be careful, the bridge might not be safe.
    Everything will be fine, take a deep breath.
    We won, we really won the whole thing!
    It feels empty here without them.
    How could you possibly forget about me?
    Look at that, it moved all by itself.
    Please speak up, I can barely hear you.
    The problem began when the pump broke down.
    Most people prefer a simple plan that works.
    My job is to improve the quality of the maps.
    Above all, be polite and keep your promise.
    The football team bought uniforms from a shop in Boston.
    A number of important members voted for the bill.
    From my point of view, both proposals have problems.
    The museum opens at seven and closes before five.
    Remember to bring an umbrella, a map, and warm boots.
    We have been waiting for the bus for over an hour.
    The movie was so boring that I fell asleep.
    Somewhere over there a woman was whistling.
    Would you mind if I opened the window?
    The quick brown fox is tired of the lazy dog.
    In the middle of the room stood a wooden piano.
    A pair of pigeons was perched upon the lamp post.
    The mayor promised to improve the public parks.
    February is the shortest month of the year.
    Vacuum the floor, then vanish before the visitors arrive.
    My favorite vegetable is a fresh beet from the farm.
    I put the map back in the top pocket of my bag.
    Big problems become small when people help.
    A massive wave moved over the village.
    Move forward, then wave at the woman above.
    Both boys want to visit Vermont in the fall.
    If you feel unwell, phone for help immediately.
    The wolf and the fox both love the full moon.
    Mix the flour, the milk, and a pinch of pepper.
    Push the button, pull the lever, and wait for the bell.
    Blow softly over the top of the empty bottle.
    You won the prize, so whom will you choose to thank?
    Two women waved while we walked through the woods.
    Use the smooth spoon to move the soup.
    The whole world goes slow before snow.
    Only a few folks know how the old boat was moved.
    Wool coats, wood stoves, and warm soup make winter good.
    Please leave the keys beneath the green seat.
    We need to see the team before we leave.
    Meet me by the sea at a quarter past three.
    Cheap wheels squeak, but clean wheels sing.
    """.strip().splitlines()
)
