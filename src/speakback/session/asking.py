"""What a reply is asked to be: the prompt from the history, or words that are fixed. Pure."""

from dataclasses import dataclass, replace

from speakback.providers.llm import Message, Prompt
from speakback.session.agreement import same_words
from speakback.session.history import History
from speakback.session.latency import TurnMarks
from speakback.session.settings import ReplyOptions, SessionSettings

APOLOGY = "Sorry, something went wrong on my side. Could you say that again?"
REPROMPT = "Are you still there?"
GOODBYE = "I will let you go now. Goodbye."


def resume_note(unsaid: str) -> str:
    """What the model is told when the rest of an interrupted reply is wanted, and it was not written to its end."""
    return (
        "You were interrupted. Go on from where you stopped, without repeating yourself. "
        f"You were about to say: {unsaid}"
    )


def rephrase_note(unsaid: str) -> str:
    """What the model is told when the user did not follow the words that it was cut off in."""
    return (
        "The user interrupted you because they did not understand. Say it again in other, simpler words, briefly. "
        f"You had still to say: {unsaid}"
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a reply."""

    prompt: Prompt | None
    """None: speak `text` instead of asking the model."""
    text: str = ""
    speaks: bool = True
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """What was not heard of a reply that was cut short."""

    text: str
    is_whole: bool
    """Whether the model had written the reply to its end."""


NOTHING_LEFT = Rest("", is_whole=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of the user turn that a reply answers."""

    marks: TurnMarks
    item_id: str | None = None
    """None: it answers the client's request."""
    confidence: float | None = None


def same_ask(drafted: Ask, asked: Ask) -> bool:
    """Whether two differ at most in case and punctuation of the user's last words."""
    if drafted.prompt is None or asked.prompt is None:
        return drafted == asked
    *before, last = drafted.prompt.messages
    *asked_before, asked_last = asked.prompt.messages
    return (
        before == asked_before
        and last.role == asked_last.role
        and same_words(last.content, asked_last.content)
        and replace(drafted, prompt=replace(drafted.prompt, messages=asked.prompt.messages)) == asked
    )


def history_prompt(
    history: History,
    settings: SessionSettings,
    options: ReplyOptions,
    *,
    unfinished: str,
    note: str = "",
    session_id: str,
    correlation_id: str,
) -> Prompt:
    """The conversation as the model is given it.

    `unfinished` is what the user has said of a turn still open; `note` is said to the model alone, at the end.
    """
    instructions = settings.instructions if options.instructions is None else options.instructions
    messages = history.messages(instructions)
    if unfinished:
        messages = (*messages, Message("user", unfinished))
    if note:
        messages = (*messages, Message("system", note))
    return Prompt(
        messages=messages,
        tools=settings.tools if options.tools is None else options.tools,
        tool_choice=settings.tool_choice if options.tool_choice is None else options.tool_choice,
        max_tokens=settings.max_tokens if options.max_tokens is None else options.max_tokens,
        temperature=settings.temperature,
        session_key=session_id,
        correlation_id=correlation_id,
    )
