"""The English words that turn-taking goes by, each list once, and the one way in which a transcript is cut into words.

Lower case, straight apostrophes, no punctuation. Sources: the listener tokens counted in Switchboard and
those of CANDOR's Backbiter rule; the rest by hand.
"""

import re

ELLIPSES = ("...", "…", "-", "–", "—")

_WORD = re.compile(r"(?:[a-z]\.){2,}|[\w']+")
_DRAWN_OUT = re.compile(r"([a-z])\1{2,}")


def spoken_words(text: str) -> list[str]:
    """The words of a transcript: "Ummm, U.S.-based" is um, us, based. Punctuation and case say nothing here."""
    plain = text.lower().replace("’", "'")
    return [_DRAWN_OUT.sub(r"\1", word.replace(".", "")) for word in _WORD.findall(plain)]


FILLERS = frozenset({"um", "uh", "er", "erm", "hm", "hmm"})

CANNOT_END = frozenset(
    {
        *("a", "an", "the", "my", "your", "his", "our", "their", "its"),
        *("and", "or", "but", "because", "if", "when", "while", "although", "unless", "than", "as"),
        *("of", "to", "for", "from", "with", "at", "by", "into", "between", "about"),
        *("i'm", "he's", "she's", "we're", "they're", "you're", "i'd", "i'll", "we'll", "very"),
        *FILLERS,
        "like",
    }
)
"""Last words after which more must come, or hesitation."""

RARELY_END = frozenset(
    {
        *("in", "on", "so", "that", "this", "it's", "i", "we"),
        *("is", "are", "was", "were", "am", "do", "does", "did", "can", "could", "would", "should", "will"),
    }
)
"""Last words that more often than not go on."""

WHOLE_TURNS = frozenset(
    {
        *("hello", "hi", "hey", "hello there", "hi there", "good morning", "good afternoon", "good evening"),
        *("bye", "bye bye", "goodbye", "good night", "see you", "see you later"),
        *("yes", "yeah", "yep", "yes please", "no", "nope", "no thanks", "no thank you", "yes i do", "no i don't"),
        *("mm hmm", "mm hm", "uh huh", "um hum", "mhm", "mmhmm"),
        *("okay", "ok", "sure", "right", "alright", "all right", "of course", "exactly", "please", "got it", "i see"),
        *(
            "thanks",
            "thank you",
            "thank you very much",
            "thanks a lot",
            "stop",
            "wait",
            "what",
            "why",
            "really",
            "sorry",
        ),
        *("i don't know", "not really", "maybe", "that's right", "that's all", "that's it", "how are you"),
    }
)
"""Turns that are complete though short."""

TAKES_TIME = frozenset(
    {
        *("i mean", "you know", "let me see", "let's see", "let me think", "let me check", "let me look"),
        *("give me a second", "give me a moment", "give me a minute", "one moment", "one second", "one sec"),
        *("just a second", "just a moment", "just a minute", "hold on", "hang on"),
    }
)
"""Endings by which a speaker keeps the floor while looking for words."""

LISTENER_WORDS = frozenset(
    {
        *("yeah", "yes", "yep", "yup", "okay", "ok", "right", "alright", "sure", "true", "exactly", "absolutely"),
        *("definitely", "totally", "really", "indeed", "oh", "ooh", "ah", "aha", "wow", "huh", "hum", "hm", "hmm"),
        *("m", "mm", "mhm", "mhmm", "mmhm", "mmhmm", "uhhuh", "uh", "um", "ha", "haha", "heh"),
        *("gee", "gosh", "boy", "mercy", "neat", "nice", "cool", "awesome", "great", "god", "gotcha"),
    }
)
"""What listeners say without wanting the floor. "no" is not among them: over the agent it objects."""

OBJECTIONS = frozenset({"no", "nope", "no it's not", "that's wrong", "that's not right", "not really"})
"""Short, and not to be talked over."""

LISTENER_PHRASES = (
    *("all right", "i see", "got it", "is that right", "oh my goodness", "oh my gosh", "oh my god", "oh my"),
    *("my goodness", "that is right", "that's great", "that's right", "that's true", "that's nice", "of course"),
    *("makes sense", "that makes sense", "no way", "no kidding", "uh huh", "sounds good"),
)

HALTS = (
    *("stop", "wait", "hold on", "hold up", "hang on", "no no", "excuse me", "be quiet", "shut up", "cut it out"),
    *("one moment", "one second", "one sec", "just a moment", "just a second", "just a minute"),
    *("let me stop you", "let me interrupt", "can i interrupt", "may i interrupt", "that's enough", "that is enough"),
)
"""Openings that ask the agent to stop talking, whatever follows."""

LONE_HALTS = ("quiet", "hush", "shush", "pause", "enough", "silence")
"""Words that ask it only where nothing but `HALT_TAIL` follows."""

HALT_TAIL = frozenset(
    {
        *("please", "it", "that", "this", "now", "there", "talking", "speaking", "reading", "right", "here"),
        *("a", "for", "me", "second", "sec", "moment", "minute", "just"),
    }
)
"""What may follow "can you stop" for it to be about talking and not about a bus."""

COURTESIES = frozenset({"please", "sorry", "hey", "well", "actually", "just", "but", "then", "now", "quite", "even"})
"""Words that may stand around a request without changing it."""

NUMBER_WORDS = {
    **dict.fromkeys(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh"), 1),
    **dict.fromkeys(("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"), 2),
    **dict.fromkeys(("eighteen", "nineteen"), 2),
    **dict.fromkeys(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2),
}
"""Digits that each word stands for where a number is read out in groups."""

MULTIPLIERS = {"double": 1, "triple": 2}
"""Digits that these add to the next one."""

NUMBER_LENGTHS: dict[str, tuple[range, ...]] = {
    **dict.fromkeys(("card", "iban"), (range(15, 40),)),
    **dict.fromkeys(("phone", "telephone", "mobile", "cell", "number"), (range(7, 8), range(10, 40))),
    **dict.fromkeys(("account", "security", "passport", "policy", "serial"), (range(8, 40),)),
    **dict.fromkeys(("order", "booking", "reference", "confirmation"), (range(6, 40),)),
    **dict.fromkeys(("zip", "postcode"), (range(5, 40),)),
    **dict.fromkeys(("code", "pin", "extension"), (range(4, 40),)),
}
"""How many digits a number of each kind has when it is whole; the first kind named in the text counts."""

SPELLING_CUES = frozenset({"spelled", "spelt", "spell", "spelling", "letters"})
ADDRESS_SIGNS = frozenset({"dot", "underscore", "slash", "hyphen", "dash", "www"})
TOP_DOMAINS = frozenset(
    {
        *("com", "org", "net", "edu", "gov", "info", "io", "co", "ai", "dev", "app"),
        *("uk", "de", "fr", "us", "ca", "eu"),
    }
)
MAIL_HOSTS = ("gmail", "googlemail", "yahoo", "hotmail", "outlook", "icloud", "aol", "proton")
STREETS = frozenset(
    {
        *("street", "st", "road", "rd", "avenue", "ave", "lane", "drive", "boulevard", "court", "place", "way"),
        *("square", "terrace", "highway", "close", "crescent"),
    }
)
