"""What the caller of `speakback demo` says: six turns, the fourth of which interrupts the agent."""

from speakback.caller.script import ScriptLine

DEMO_SCRIPT = (
    ScriptLine("Hello there, who am I talking to?"),
    ScriptLine("I would like to plan a quiet weekend by the sea. What should I bring?"),
    ScriptLine("Can you tell me a little more about what the weather is like in October?"),
    ScriptLine("Sorry, let me stop you there. How long is the drive if I leave at noon?", cut_in_after_ms=1000),
    ScriptLine("And what could we do there if it rains all day?"),
    ScriptLine("Thank you, that was helpful. Goodbye!"),
)
