"""Everyday talk for synthesised speech, written for this project: questions, requests, names."""

from __future__ import annotations

EVERYDAY: tuple[str, ...] = tuple(
    line.strip()
    for line in """
    What time does the pharmacy open on Fridays?
    Could you move your van, please?
    I have no idea where my wallet is.
    Have you ever been up that mountain?
    Thank you for waiting, I will be with you in a moment.
    Amy, would you bring me a pair of scissors?
    Do we have enough milk for breakfast?
    That is the best pie I have ever had!
    Why is everybody wearing purple?
    Please wipe your feet before you come in.
    I forgot my umbrella, of course.
    How much is a bowl of soup?
    Who would believe a story like that?
    Be careful with that vase, it was a present.
    We are moving house next month.
    Where did you buy those beautiful boots?
    Wow, the view from up here is amazing!
    I am afraid the shop is about to close.
    Would you mind opening a window?
    Philip and Eva are coming over for supper.
    Hello, my name is Bob, and I fix pumps.
    Never put wet gloves on the piano.
    Is this your first visit to the farm?
    You may borrow my bike if you promise to bring it back.
    What on earth happened to the roof?
    Oliver has a fever, so he will stay at home.
    Can somebody help me with this zip?
    Let us have a picnic by the river.
    I would love a cup of coffee.
    Wait for me, I am almost ready!
    Beth plays the viola, and Ben plays the drums.
    Which of these maps shows the footpath?
    My bag is heavier than it looks.
    The bathroom is up the stairs, on the left.
    Did you remember to phone the plumber?
    Someone has parked in front of the fire station.
    Have a safe trip, and give my love to Maude.
    I do not believe a word of it.
    How often do you wash your windows?
    Move over, there is room for both of us.
    We ran out of paper in the middle of the exam.
    Tom, will you put the bins out?
    Good morning, may I speak to the manager?
    You were right, the blue one fits better.
    Who left the gate open?
    Maybe we should ask for help.
    Oh, what a pity, the film is over.
    Would you prefer a window or an aisle seat?
    My nephew wants to be a vet.
    Please push the button with the bell on it.
    Are those your footprints in the butter?
    We have known each other for over twenty years.
    Stop, the bridge is not safe!
    The soup needs more pepper, and perhaps some thyme.
    I will meet you outside the museum at five.
    Does anyone here know how to fix a puncture?
    Vicky put too much vinegar on the fish.
    I must have left my glasses in the bedroom.
    Would you wrap it up, please? It is for my mother.
    That dog of yours is a very good judge of people.
    The lift is broken, so we have to walk up.
    What would you have done in my place?
    Grab a plate and help yourself to beans.
    Your hair looks wonderful!
    Every time I phone, the line is busy.
    Farah moved to Bombay in the spring.
    Let me know if you change your mind.
    There is a problem with my boiler again.
    Why would he ever want to leave?
    Both of them missed the bus.
    My favourite shop sells buttons, ribbons and wool.
    Will the weather improve before the wedding?
    Peter, have you seen my pillow?
    You can pay me back whenever you want.
    I cannot hear you over the music.
    Is there a beach near the village?
    We watched the match at my uncle's pub.
    Put the phone away and eat your peas.
    Of course I remember you, you have not changed a bit!
    Where shall we put the sofa?
    The baby wakes up at four every morning.
    I am looking for a pair of warm waterproof boots.
    How many people fit into that van?
    Mum, there is a bee in my room!
    No, thank you, I have had more than enough.
    They live above the bakery on Maple Avenue.
    Could we have the bill, please?
    This key fits the front door, and that one the shed.
    I gave up smoking, but I miss the breaks.
    Have you ever milked a goat?
    Wash the apples before you bite into them.
    Who is the woman with the big brown bag?
    Be quiet for a moment, I think I hear something.
    Robin wants a bow and arrow for his birthday.
    The cheapest way is to go by boat.
    Well, what are you waiting for?
    I have never been so embarrassed in my whole life.
    Will you move the ladder before somebody falls?
    It is my turn to wash up, I suppose.
    We should leave by half past five at the latest.
    What a mess, the paint is all over the floor!
    Do you take sugar with your tea?
    Phoebe is better at puzzles than at poems.
    My mobile is at the bottom of the lake.
    If you follow me, I will show you to your room.
    May I have a word with you about the fence?
    How did the puppy get on top of the wardrobe?
    I would be happy to give you a lift home.
    Leave some pudding for the rest of us.
    Mr Webb, your table is ready.
    Do not feed bread to the ducks, it is bad for them.
    Would anybody like another piece of plum pie?
    The film was awful, but the popcorn was fine.
    Why are you whispering?
    You have paint on your forehead.
    I am fed up with this weather.
    Where were you when I needed you?
    It was a pleasure to meet you, Professor Fisher.
    We have five apples, a pear and half a melon.
    Have you got a bigger bowl?
    Wendy, your phone is buzzing in the fruit basket.
    Nobody told me that the meeting was moved.
    The washing machine is making a funny noise.
    Please sign here, here, and at the bottom of the form.
    Help, my boat is filling up with water!
    I wish we had a proper map.
    When you see Marvin, give him this envelope.
    Is that a real beard?
    My shoes are full of pebbles.
    Both doors were open when I arrived.
    You promised me a waffle, and I have not forgotten.
    Which voice did you like best?
    We bought a bed, a lamp and an enormous mirror.
    Victor snores so loudly that the pipes move.
    I feel much better now, thanks to you.
    Could you speak up a bit, please?
    The parcel is too big for my mailbox.
    Have breakfast first, then we will talk about it.
    What do you mean, the cave is full of bats?
    Hold on, I just have to put my boots on.
    Fill the bottle up, but leave a bit of room at the top.
    My bus was late, my feet are wet, and I forgot my lunch.
    Did the wolf really have a map?
    Ms Boyd, the mayor would like to see you.
    I love it when the whole family is home.
    How far is it from Bath to Plymouth?
    There are crumbs all over my keyboard.
    Joy, this is Jim, and Jim, this is Joy.
    Try to move your thumb and tell me if it hurts.
    We might be above the clouds by now.
    Are you sure that mushroom is safe to eat?
    Thieves took the vase and left the flowers.
    You could fry an egg on that pavement!
    The vet gave Toby a biscuit for being brave.
    Would you rather fly, or be able to breathe under water?
    I have been waiting for the plumber since noon.
    Careful, the pavement is icy this morning.
    Tell Matthew that both of his brothers phoned.
    If it rains, we will move the party into the barn.
    Why not visit us over the weekend?
    That was the bravest thing I ever saw.
    Maybe the bathroom would look better in yellow.
    Give the boy his ball back!
    I usually measure twice, but today I just guessed.
    We put honey on everything, even on fish.
    You will find the pump behind the house.
    Good heavens, is it five already?
    Pass me the pliers, the big ones with the blue handle.
    My neighbour mows his lawn before breakfast.
    Who won the women's pole vault?
    It must have fallen off the back of a wagon.
    They have a boy of four and a baby.
    Sure, you can bring your boa, but keep it in its box.
    Do you believe in ghosts, Fiona?
    I would love to, but I have to pick up my boys.
    Phew, that was a very close shave!
    Buy five and pay for four, what a bargain!
    """.strip().splitlines()
)
