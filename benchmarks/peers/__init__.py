"""Pipecat and Speakback side by side: the same clips, stub services, client and machine, in one run.

`python -m benchmarks.peers` serves both, each cell in a fresh process, in turns, and prints what a caller
notices of many conversations in one process.

Compared: what a framework does between a caller's socket and its services. Voice activity, the end of the turn,
the hand-over from stage to stage, pacing, stopping on a barge-in; and what that costs in processor time and memory.
Speech to text, language model and voice are stubs with fixed times, the same for both (`benchmarks.scripted_server`,
`stubs.py`): 170 ms in sum to the first audio.

- "VAD only": a turn ends by silence alone. Pipecat: its VAD as it comes (stop_secs 0.2) and no further wait
  (user_speech_timeout 0); measured, its VAD is sure about 240 ms after the last voiced sample. Speakback: that
  same 240 ms as its fixed silence, barge-in at once, no drafts and no turn model.
- "turn model": both as they come, which for both is Smart Turn v3.2. Pipecat: its default turn strategies.
  Speakback: the strategy overlap-aware, with its drafts and its graded barge-in.

Both policies are part of what is compared, and differ where their makers chose so. Speakback transcribes while the
user speaks and at pauses, within the silence that it waits for anyway, Pipecat's segmented services once the VAD is
sure; a barge-in takes 0.2 s of voice above a loudness there and 96 ms of voice here. With the turn model Pipecat ends
a turn that is likelier over than not, Speakback waits by how likely it is, and at a barge-in holds its voice first and
gives the floor away with its verdict. So the times to the first audio of the two modes are to be read with that in
mind. The ratio of sessions is not touched by it: each server is held against itself with few sessions.

Not compared: the quality of turn-taking (`benchmarks.turn_taking`), real services, WebRTC, TLS, one process for
each session (which is how Pipecat is usually deployed and what its makers advise). Metrics and watchdogs are as
each comes: off in Pipecat, on in Speakback. Pipecat takes raw PCM in binary messages. Speakback takes its binary
extension, which is raw PCM behind a header of 8 bytes; and once, told apart, its JSON with base64.
"""
