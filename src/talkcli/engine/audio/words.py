"""The words of a transcript, whole, in the letters that an aligner's dictionary has.

English borrows words with their accents, and editors set ligatures and typographic apostrophes: all of these
become plain letters. What no rule can speak (another script) is refused, never left out: words torn to pieces
would be performed as others.
"""

from __future__ import annotations

import re
import unicodedata

from talkcli.engine.audio.spelling import Language, guess_phones
from talkcli.engine.errors import InputError
from talkcli.engine.wording import counted

# Every sign that is set for an apostrophe, and what no one sees.
_APOSTROPHES = dict.fromkeys(map(ord, "’‘‛ʼʻʽ＇′`´ˈ՚ꞌ"), "'")
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF]
)
# Letters of Latin that are no letter with a mark.
_PLAIN = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "ǽ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "th", "þ": "th", "ł": "l",
        "ħ": "h", "ı": "i", "ĸ": "k", "ŋ": "ng", "ŧ": "t", "ƒ": "f", "ə": "a", "ɨ": "i", "ɓ": "b", "ɗ": "d",
        "ȷ": "j", "ɛ": "e", "ɔ": "o", "ƿ": "w", "ȝ": "gh", "ꝛ": "r",
    }
)  # fmt: skip
_SHOWN = 3


def spoken_words(text: str, language: Language = "en") -> list[str]:
    """Lower-case words of a transcript; remarks in [] or <> are left out. English ones are of a to z and '.

    Raises InputError for a text without words or with digits, and for English words in another script.
    """
    plain = re.sub(r"\[[^\]]*\]|<[^>]*>", " ", _normal(text))
    if numbers := re.findall(r"\d+", plain):
        more = f" and {counted(len(numbers) - _SHOWN, 'more number')}" if len(numbers) > _SHOWN else ""
        named = ", ".join(number[:30] for number in numbers[:_SHOWN])
        raise InputError(
            f"The transcript holds digits: {named}{more}.", hint="Write numbers as they are spoken."
        )
    # An apostrophe is a part of English words, and parts two words of others.
    letters = r"[^\W\d_](?:[^\W\d_]|')*" if language == "en" else r"[^\W\d_]+"
    words = [word.strip("'") for word in re.findall(letters, _latin(plain) if language == "en" else plain)]
    if language != "en":
        words = [word for word in words if guess_phones(word, language)]
    foreign = [word for word in words if not re.fullmatch(r"[a-z']+", word)] if language == "en" else []
    if foreign:
        more = f" and {counted(len(foreign) - _SHOWN, 'more word')}" if len(foreign) > _SHOWN else ""
        named = ", ".join(word[:30] for word in foreign[:_SHOWN])
        raise InputError(
            f"The transcript holds words that cannot be spoken as English: {named}{more}.",
            hint="Write them in Latin letters as they sound, or give a TextGrid with the phones.",
        )
    if not words:
        raise InputError(f"The transcript {text[:60]!r} holds no word of the language {language}.")
    return words


def _normal(text: str) -> str:
    """Lower case, one form of each letter, one apostrophe, nothing invisible."""
    # Apostrophes before the normal form, which makes a blank of an accent that stands alone, and after it,
    # since it takes signs apart.
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES).translate(_INVISIBLE))
    return unicodedata.normalize("NFC", text.translate(_APOSTROPHES).lower())


def _latin(text: str) -> str:
    """Return letters without their marks, those of Latin as a to z; other scripts stay what they are."""
    apart = unicodedata.normalize("NFD", text.translate(_PLAIN))
    return "".join(letter for letter in apart if unicodedata.category(letter)[0] != "M").translate(_PLAIN)
