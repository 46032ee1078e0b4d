"""What the callers say where no recordings are given: whole questions, bids for the floor, and backchannels."""

QUESTIONS = (
    "How much does a ticket to Berlin cost?",
    "Can you recommend a good restaurant near the station?",
    "What is the weather going to be like tomorrow?",
    "I would like to book a table for four people.",
    "Please tell me how to make a simple tomato soup.",
    "Who was the first woman in space?",
    "Is the museum open on Mondays?",
    "I need a present for my grandmother.",
)
"""Complete, and said without a pause within."""

CUT_INS = (
    "Wait, tell me about the trains to Hamburg instead.",
    "Stop, I meant the museum in the old town.",
    "No, I would rather hear something about whales.",
    "Hold on, how long does that take by bicycle?",
    "Sorry, what does the ticket for a child cost?",
    "Actually, tell me when the next bus leaves.",
)
"""Said over the agent: words that nobody takes for a backchannel."""

BACKCHANNELS = ("Mm-hmm.", "Yeah.", "Uh-huh.", "Right.")
