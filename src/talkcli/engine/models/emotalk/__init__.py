"""EmoTalk, a generator with one branch for content and one for emotion."""
