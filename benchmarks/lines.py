"""What the caller of the benchmarks says: sentences and questions of several lengths, as people ask them."""

from speakback.caller.script import ScriptLine

CONVERSATIONS = (
    (
        "Hello, how are you today?",
        "I am looking for a good book to read on a long train journey.",
        "What makes a detective story exciting?",
        "Could you recommend something that is not too long?",
        "Who wrote it?",
        "My sister prefers poems, and I never know what to give her.",
        "Is there anything I should know about reading aloud to children?",
        "All right, thank you for the advice.",
    ),
    (
        "Good morning. I would like to bake a cake for my neighbour.",
        "What do I need for a simple lemon cake?",
        "I have flour, butter and sugar, but only two eggs.",
        "How long does it have to stay in the oven?",
        "What happens if I use oil instead of butter?",
        "My kitchen is rather small, and the oven is old.",
        "Can I make the cake a day before the party?",
        "That sounds easy enough. Thank you very much.",
    ),
    (
        "Hi. Could you help me to plan a walk in the mountains?",
        "I have never been higher than one thousand metres.",
        "What kind of shoes should I wear?",
        "Do I need a map, or is my phone enough?",
        "We would start early in the morning and be back before dark.",
        "How much water should each of us carry?",
        "What should we do if there is a thunderstorm?",
        "Okay, I think we are well prepared.",
    ),
)
"""Three calls of eight turns."""

INTERRUPTIONS = (
    "Tell me a long story about a lighthouse keeper.",
    "Wait, tell me how sailing ships find their way at night.",
    "No, I would rather hear something about whales.",
    "Hold on. What do people in Iceland eat in winter?",
    "Sorry, explain to me how bread is made, step by step.",
    "Actually, describe the colours of a sunset to me.",
    "Stop. Tell me everything you know about bicycles.",
    "One moment. How do bees make honey?",
    "Please tell me about the history of chess instead.",
    "No, no. Explain to me why the sky is blue.",
    "Let me ask you something else. How does a piano work?",
    "Wait a second, what is the best way to learn a language?",
    "I meant something different. Describe a perfect holiday.",
)
"""Each but the first is said while the agent answers the one before."""

CUT_IN_AFTER_MS = 1000


def polite(texts: tuple[str, ...]) -> list[ScriptLine]:
    """Lines that wait for the agent's end."""
    return [ScriptLine(text) for text in texts]


def impatient(texts: tuple[str, ...]) -> list[ScriptLine]:
    """Lines that cut in on the agent, all but the first."""
    return [ScriptLine(text, CUT_IN_AFTER_MS if index else None) for index, text in enumerate(texts)]
