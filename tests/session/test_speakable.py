"""What is said of a model's text, and that it does not depend on how the stream was split."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speakback.session.speakable import SpeakableText


def said(*deltas: str) -> str:
    text = SpeakableText()
    return "".join([*(text.push(delta) for delta in deltas), text.finish()])


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Hello there, how are you?", "Hello there, how are you?"),
        ("<think>The user wants…</think>Hello.", "Hello."),
        ("<thinking>\nHm.\n</thinking>\n\nHello.", "Hello."),
        ("<THINK>loud</THINK>Hello.", "Hello."),
        ("Hello. <think>never closed", "Hello. "),
        ("rest of a thought</think>Hello.", "rest of a thoughtHello."),
        ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi!<|return|>", "Hi!"),
        ("<|channel|>commentary to=functions.x <|constrain|>json<|message|>{}<|call|>", ""),
        ("<|im_start|>assistant\nHello.<|im_end|>", "Hello."),
        ("<start_of_turn>model\nHello.<end_of_turn>", "Hello."),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>", "Hello."),
        ("[INST] Hello [/INST] there</s>", "Hello there"),
        ("<<SYS>>Hello<</SYS>>", "Hello"),
        ("A **bold**, *slanted*, __strong__, _soft_ and ~~gone~~ one.", "A bold, slanted, strong, soft and gone one."),
        ("**Bold first**, then ***both***.", "Bold first, then both."),
        ("3 * 4 and 2*3, snake_case, ~5 minutes", "3 * 4 and 2*3, snake_case, ~5 minutes"),
        ("# Title\n## Second\nText #1 stays.", "Title\nSecond\nText #1 stays."),
        ("- one\n* two\n+ three\n• four", "one\ntwo\nthree\nfour"),
        ("1. one\n2. two\n3) three", "one\ntwo\nthree"),
        ("42. Is that right?", "42. Is that right?"),
        ("-5 degrees", "-5 degrees"),
        ("> quoted\n> - item", "quoted\nitem"),
        ("Above\n---\nBelow\n***", "Above\nBelow\n"),
        ("Say `print` loudly.", "Say print loudly."),
        ("Look:\n```python\nprint('hi')\n```\nThat is all.", "Look:\nThat is all."),
        ("Look:\n```python\nprint('never closed')", "Look:\n"),
        ("See [the map](https://example.com/a_(b)) now.", "See the map now."),
        ("![A cat](cat.png) sits.", "A cat sits."),
        ("As shown [1], [sic] it is.", "As shown , sic it is."),
        ("Go to https://example.com/x?y=1. Then www.example.org!", "Go to a link. Then a link!"),
        ("Mail <https://example.com> or (http://a.b/c).", "Mail a link or (a link)."),
        ("www. is short", "www. is short"),
        ("Great 😀👍🏽! 1️⃣ ❤️", "Great ! 1 "),
        ("| Name | Age |\n|---|:-:|\n| Ada | 36 |\n", "Name, Age\nAda, 36\n"),
        ("a | b", "a | b"),
        ("One<br>two <b>three</b> <span class='x'>four</span><!-- five -->.", "One\ntwo three four."),
        ("If a < b and c > d, or a <b and c> d", "If a < b and c > d, or a <b and c> d"),
        (r"Literally \*so\* and C:\new", r"Literally *so* and C:\new"),
        ("", ""),
        ("  \n Hello", "Hello"),
    ],
)
def test_what_is_said(written: str, spoken: str) -> None:
    assert said(written) == spoken
    assert said(*written) == spoken


PIECES = st.sampled_from(
    ["<think>", "</think>", "<thinking>", "<|channel|>", "analysis", "final", "<|message|>", "<|end|>", "<|start|>"]
    + ["<|im_start|>", "<|im_end|>", "[INST]", "[/INST]", "<<SYS>>", "**", "*", "_", "__", "~~", "~", "`", "```", "# "]
    + [
        "## ",
        "- ",
        "-",
        "---",
        "1. ",
        "2. ",
        "42. ",
        "> ",
        ">",
        "](",
        "[",
        "]",
        "(",
        ")",
        "!",
        "![",
        "https://",
        "www.",
    ]
    + ["a.b", "<br>", "<b ", "href=x>", "<!--", "-->", "<", "</", "\\", "|", "|---|\n", "| a | b |\n", "\n", " ", "\t"]
    + ["hello", "word, ", "h", "w", "7", "😀", "\u200d", "é", ".", "="]
)


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.data())
def test_any_split_says_the_same(written: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=8)))
    deltas = [written[start:end] for start, end in zip([0, *cuts], [*cuts, len(written)], strict=True)]
    whole = said(written)
    assert said(*deltas) == whole
    assert said(*written) == whole


@settings(deadline=None)
@given(st.text(max_size=200), st.integers(0, 200))
def test_any_text_says_the_same_split_anywhere(written: str, cut: int) -> None:
    assert said(written[:cut], written[cut:]) == said(written)


@given(st.text(alphabet="abcdefg ,.?'", max_size=60))
def test_plain_words_are_said_at_once(written: str) -> None:
    text = SpeakableText()
    assert text.push(written) == said(written)
    assert text.finish() == ""


@pytest.mark.parametrize(
    ("delta", "at_once"),
    [("Hello *", "Hello "), ("See [the map", "See the map"), ("It is 3 <", "It is 3 "), ("is 5.", "is 5.")],
)
def test_only_what_is_undecided_is_withheld(delta: str, at_once: str) -> None:
    assert SpeakableText().push(delta) == at_once


TAGGED = [
    ("[laughs] Well, I never!", "[laughs] Well, I never!"),
    ("Come closer, [whispers softly] please.", "Come closer, [whispers softly] please."),
    ("It is over [sighs]", "It is over [sighs]"),
    ("[INST] See [the map](http://x.org) and [1], [x = 2] or [this", "See the map and , x = 2 or this"),
]


@pytest.mark.parametrize(("written", "spoken"), TAGGED)
def test_audio_tags_are_kept_for_a_voice_that_performs_them_however_the_stream_is_split(
    written: str, spoken: str
) -> None:
    for cut in range(len(written) + 1):
        text = SpeakableText(keeps_audio_tags=True)
        assert text.push(written[:cut]) + text.push(written[cut:]) + text.finish() == spoken


@settings(deadline=None)
@given(st.text("[]a b/I(1", max_size=60), st.integers(0, 60))
def test_brackets_say_the_same_split_anywhere(written: str, cut: int) -> None:
    text, whole = SpeakableText(keeps_audio_tags=True), SpeakableText(keeps_audio_tags=True)
    in_parts = text.push(written[:cut]) + text.push(written[cut:]) + text.finish()
    assert in_parts == whole.push(written) + whole.finish()
