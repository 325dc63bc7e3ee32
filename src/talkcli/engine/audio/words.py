"""Words of a transcript, in the letters that the aligner's dictionary has.

English has loanwords with accents, and editors set ligatures and typographic apostrophes: all of these become
plain letters. Words that no rule can speak (in another script) are refused. They are never left out or cut,
because the rest would be performed as other words.
"""

from __future__ import annotations

import re
import unicodedata

from talkcli.engine.audio.spelling import Language, guess_phones
from talkcli.engine.errors import InputError
from talkcli.engine.wording import counted

# Translation of all signs that writers use as an apostrophe, and removal of invisible characters.
_APOSTROPHES = dict.fromkeys(map(ord, "’‘‛ʼʻʽ＇′`´ˈ՚ꞌ"), "'")
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF]
)
# Plain letters for the Latin letters that are not a plain letter with a mark.
_PLAIN = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "ǽ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "th", "þ": "th", "ł": "l",
        "ħ": "h", "ı": "i", "ĸ": "k", "ŋ": "ng", "ŧ": "t", "ƒ": "f", "ə": "a", "ɨ": "i", "ɓ": "b", "ɗ": "d",
        "ȷ": "j", "ɛ": "e", "ɔ": "o", "ƿ": "w", "ȝ": "gh", "ꝛ": "r",
    }
)  # fmt: skip
# Largest number of words or numbers that a message names.
_SHOWN = 3


def spoken_words(text: str, language: Language = "en") -> list[str]:
    """Return the words of a transcript in lower case, without remarks in [] or <>.

    English words consist of the letters a to z and apostrophes.

    Raises:
        InputError: for a text without words or with digits, and for English words in another script.
    """
    plain = re.sub(r"\[[^\]]*\]|<[^>]*>", " ", _normal(text))
    if numbers := re.findall(r"\d+", plain):
        more = f" and {counted(len(numbers) - _SHOWN, 'more number')}" if len(numbers) > _SHOWN else ""
        named = ", ".join(number[:30] for number in numbers[:_SHOWN])
        raise InputError(
            f"The transcript holds digits: {named}{more}.", hint="Write numbers as they are spoken."
        )
    # An apostrophe belongs to an English word; in other languages it separates two words.
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
    """Return `text` in lower case, with one form of each letter and apostrophe, all characters visible."""
    # Apostrophes are translated before the normal form, which turns a lone accent into a space, and after it,
    # because it splits some signs.
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES).translate(_INVISIBLE))
    return unicodedata.normalize("NFC", text.translate(_APOSTROPHES).lower())


def _latin(text: str) -> str:
    """Return `text` with its Latin letters as a to z; letters of other scripts only lose their marks."""
    apart = unicodedata.normalize("NFD", text.translate(_PLAIN))
    return "".join(letter for letter in apart if unicodedata.category(letter)[0] != "M").translate(_PLAIN)
