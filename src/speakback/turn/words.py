"""What words tell turn-taking, as kinds and never as text: the core, and a trace of it, hold no speech."""

from enum import Enum


class HeardWords(Enum):
    """What was said over the agent, as far as it was read."""

    NONE = "none"
    """Read, and no words were in it."""
    BACKCHANNEL = "backchannel"
    """Only words of a listener, such as "mm-hm" or "yeah"."""
    ECHO = "echo"
    """Only what the agent itself is saying."""
    REMARK = "remark"
    """One or two words of the user's own, such as "that's nice": no listener's words, and no claim to the floor yet."""
    CONTENT = "content"
    """Words that claim the floor."""
    HALT = "halt"
    """Words that ask the agent to stop or to say it again, or that object: "wait", "what?", "no"."""


class Unfinished(Enum):
    """What in the last words of a turn says that more is to come."""

    NO = "no"
    HESITATION = "hesitation"
    """A filler or a word that cannot end a sentence: "um", "and", "the"."""
    COUNTING = "counting"
    """Within a number or a spelling that is given in groups."""
    ADDRESS = "address"
    """Within an e-mail, web or postal address."""


class Repair(Enum):
    """What is to become of the rest of a reply that the user interrupted."""

    DROP = "drop"
    """The user said something of their own: answer that."""
    REPHRASE = "rephrase"
    """The user did not follow: say it again, in other words."""
    RESUME = "resume"
    """The user gives the floor back, or said nothing at all: go on where the agent was."""
