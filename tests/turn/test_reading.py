import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.turn.reading import heard_words, repair_wanted, unfinished
from speakback.turn.words import HeardWords, Repair, Unfinished

LISTENING = [
    *("Yeah.", "yeah", "Mm-hmm.", "Mm hmm", "mhm", "Mmm.", "Hmm.", "Uh-huh", "uh huh.", "Um-hum", "Um...", "uh"),
    *("Right.", "Right, right.", "Okay.", "OK", "Oh.", "Ohhh", "Oh, really?", "Oh yeah.", "Oh, wow!", "Yes.", "Yep."),
    *("Sure", "Huh.", "I see.", "Oh, I see.", "That's right.", "That’s true.", "Yeah, that's right.", "Is that right?"),
    *("All right.", "Alright", "Oh my goodness.", "Exactly.", "Yeah, yeah, yeah.", "Yeeeah", "Haha", "Got it."),
    *("Mm-hmm, mm-hmm.", "Of course.", "Makes sense.", "Go on.", "go ahead", "Yeah, go on.", "Sorry, carry on."),
    *("No, no, go on.", "Please continue.", "You were saying?"),
]
CLAIMING = [
    *("Yeah, but", "Yeah but I don't want that.", "Okay, so", "Okay so what's next?", "Right, and the other one?"),
    *("Oh, can you tell me the price?", "Yeah I think that's wrong", "Well,", "So", "No, that's wrong"),
    *("Right, I need to leave at five.", "Sure, but when?", "Yes, please book it.", "I'm not sure"),
    *("Yeah, yeah, yeah, yeah, yeah.", "That's right, but", "I see the problem", "Oh yeah, I forgot"),
    *("You know what", "We should go", "Okay, next one."),
    *("Actually, make it two.", "555", "I can't wait to see it.", "the bus stop", "It doesn't stop there."),
    *("Can you stop at the station?", "Really quiet places", "Go on to the next one", "Right there on the corner"),
    *("Okay, what about Tuesday?", "Uh, I have a question.", "Mm, no I don't think so."),
]
REMARKS = [
    *("Oh no.", "It's fine.", "Really good", "Thank you.", "Never mind.", "Like what", "Noah knows", "Tuesday."),
]
HALTING = [
    *("Stop.", "stop!", "Stop it", "STOP talking", "Wait.", "Wait, wait.", "Hold on.", "Hang on a second.", "No, no."),
    *("No no no, that's not it.", "Excuse me.", "Be quiet.", "Shut up!", "Okay, stop.", "Oh, wait, I meant Tuesday."),
    *("Um, hold on", "Yeah, yeah, stop.", "Can you stop?", "Could you please stop talking?", "I said stop", "Enough!"),
    *("Quiet, please.", "Just a second.", "Let me stop you there.", "Please stop.", "But wait", "No, wait.", "Hush"),
    *("You can stop now.", "Sorry, one moment.", "That's enough.", "Waaait"),
    *("No.", "Nope", "What?", "Huh?", "Pardon?", "Sorry?", "That's wrong."),
]


@pytest.mark.parametrize("text", LISTENING)
def test_a_listeners_words_are_backchannels(text: str) -> None:
    assert heard_words(text) is HeardWords.BACKCHANNEL


@pytest.mark.parametrize("text", REMARKS)
def test_one_or_two_words_of_the_users_own_are_a_remark(text: str) -> None:
    assert heard_words(text) is HeardWords.REMARK


@pytest.mark.parametrize("text", CLAIMING)
def test_a_turn_is_content_however_it_opens(text: str) -> None:
    assert heard_words(text) is HeardWords.CONTENT


@pytest.mark.parametrize("text", HALTING)
def test_words_that_ask_to_stop_halt(text: str) -> None:
    assert heard_words(text) is HeardWords.HALT


@pytest.mark.parametrize("text", ["", "  ", "...", "…", "?!", "-"])
def test_no_words_are_none(text: str) -> None:
    assert heard_words(text) is HeardWords.NONE


@pytest.mark.parametrize("text", [*LISTENING, *CLAIMING, *HALTING])
def test_a_verdict_does_not_hang_on_case_and_final_punctuation(text: str) -> None:
    if text not in ("Huh?", "Huh."):
        assert heard_words(text.rstrip(".?!,").upper()) is heard_words(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Um", "Umm...", "I was thinking, uh", "And", "I'd like the red one and…", "because", "It's for the", "Hmm"),
        *("I want to go to my", "So I went there and then I, um,", "I need a flight to", "well", "Okay, so", "So"),
        *("I was going to say so", "The thing is, you know", "I mean", "Let me see.", "Just a second", "hold on"),
        *("Give me a moment", "I would like -", "Yes, but", "It was…", "AND"),
    ],
)
def test_words_that_cannot_end_a_turn_hesitate(text: str) -> None:
    assert unfinished(text) is Unfinished.HESITATION


@pytest.mark.parametrize(
    "text",
    [
        *("Hello.", "Yes", "No.", "Mm-hmm.", "Uh-huh", "I think so.", "I hope so", "Do you know?", "I feel well."),
        *("Where are you going to?", "What is it like?", "Do you see what I mean?", "I'd like a table for two."),
        *("It costs seven.", "At 10:30.", "25", "Twenty five.", "The second one", "What did you send me", "", "..."),
    ],
)
def test_whole_turns_are_not_unfinished(text: str) -> None:
    assert unfinished(text) is Unfinished.NO


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("My number is 555", Unfinished.COUNTING),
        ("My e-mail is john at", Unfinished.ADDRESS),
        ("My address is 42 Elm", Unfinished.ADDRESS),
        ("My number is 555 and", Unfinished.HESITATION),
    ],
)
def test_the_longest_patience_that_fits_is_asked_for(text: str, kind: Unfinished) -> None:
    assert unfinished(text) is kind


@pytest.mark.parametrize(
    "text",
    [
        *("Go on.", "go ahead", "Sorry, carry on.", "Oh, sorry, go on.", "Never mind, continue.", "Please continue"),
        *("Nothing, go on.", "Keep going", "You were saying?", "What were you saying?", "I'm sorry, you go ahead."),
        *("No, no, go on.", "Sorry about that, go on.", "After you.", "I'm listening.", "Oh, sorry.", "Sorry, sorry"),
        *("I wasn't talking to you.", "I didn't mean to interrupt.", "Continue with the story.", "Yes, please go on"),
        *("Mm-hmm.", "Yeah.", "", "...", "Could you go on, please?", "Okay, go on then."),
    ],
)
def test_the_floor_given_back_resumes(text: str) -> None:
    assert repair_wanted(text) is Repair.RESUME


@pytest.mark.parametrize(
    "text",
    [
        *(
            "What?",
            "what",
            "What, what?",
            "Pardon?",
            "Pardon me?",
            "Huh?",
            "Sorry?",
            "Sorry.",
            "I'm sorry?",
            "Sorry, what?",
        ),
        *("Sorry, I didn't get that.", "I didn't quite catch that.", "I don't understand.", "Say that again."),
        *("Can you say that again, please?", "Could you repeat that?", "Um, can you repeat?", "Come again?"),
        *(
            "Slower, please.",
            "Please slow down.",
            "Can you speak a little slower?",
            "A bit louder please",
            "Excuse me?",
        ),
        *("What did you say?", "What do you mean?", "Wait, what?", "One more time.", "Sorry, I didn't hear you."),
        *("I can't hear you.", "You lost me.", "I missed that.", "I didn't get that, can you say it again?"),
        *(
            "Hold on, slow down.",
            "What was that?",
            "I didn't catch the last part.",
            "Can you explain that differently?",
        ),
    ],
)
def test_who_did_not_follow_hears_it_again(text: str) -> None:
    assert repair_wanted(text) is Repair.REPHRASE


@pytest.mark.parametrize(
    "text",
    [
        *("What time is it?", "Actually, make it two.", "No, Tuesday.", "Can you repeat the address?", "Never mind."),
        *("Stop.", "Wait.", "Go on to the next point.", "Go ahead and book it.", "I don't understand the second step."),
        *("Sorry, I meant Tuesday.", "Say hello to her.", "What about Friday?", "Excuse me.", "Yes, but not today."),
        *("How slow is it?", "Tell me again why it rains", "Continue to the station", "No.", "Forget it."),
    ],
)
def test_what_the_user_says_of_their_own_drops_the_rest(text: str) -> None:
    assert repair_wanted(text) is Repair.DROP


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(heard_words(text), HeardWords)
    assert isinstance(unfinished(text), Unfinished)
    assert isinstance(repair_wanted(text), Repair)


_VOCABULARY = (
    *("yeah", "stop", "go", "on", "what", "sorry", "um", "555", "five", "a", "b", "at", "gmail", "dot", "com", "is"),
    *("my", "number", "email", "street", "42", "and,", "again?", "no", "you", "can", "slow", "down"),
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(_VOCABULARY), max_size=9))
def test_what_gives_the_floor_back_was_never_a_claim_to_it(words: list[str]) -> None:
    text = " ".join(words)
    if repair_wanted(text) is Repair.REPHRASE:
        assert heard_words(text) not in (HeardWords.NONE, HeardWords.BACKCHANNEL)


@pytest.mark.parametrize(
    "word", ["um", "yeah", "what", "again", "no", "sorry", "stop", "five", "a", "continue", "slow"]
)
def test_a_recogniser_that_repeats_itself_is_read_in_no_time(word: str) -> None:
    text = f"{word} " * 2000 + "x"
    assert heard_words(text) in (HeardWords.CONTENT, HeardWords.HALT)
    assert repair_wanted(text) is Repair.DROP
    assert unfinished(text) in (Unfinished.NO, Unfinished.COUNTING)
