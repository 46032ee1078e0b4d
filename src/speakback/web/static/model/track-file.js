/** The tracks as a file: format `speakback.page-replay`, version 1 (docs/page.md). Levels are in the recording. Pure. */

/** @param {{at: string, sessionId: string|null, recordedFromMs: number}} about  the call's time at the WAV's first sample */
export function exportedTracks(tracks, { at, sessionId, recordedFromMs }) {
  const span = ({ startMs, endMs }) => ({ start_ms: startMs, end_ms: endMs });
  return {
    format: 'speakback.page-replay', version: 1, exported_at: at, session_id: sessionId, duration_ms: tracks.endMs,
    recorded_from_ms: recordedFromMs,
    user_voice: tracks.voice.map(span),
    agent_audible: tracks.replies.map((reply) => ({ ...span(reply), item_id: reply.itemId })),
    ducked: tracks.ducks.map(span),
    held: tracks.holds.map(span),
    turns: tracks.turns.map((turn) => ({ ...span(turn), item_id: turn.itemId, transcript: turn.text })),
    agent_words: tracks.words.map(({ atMs, itemId, text }) => ({ at_ms: atMs, item_id: itemId, text })),
    pauses: tracks.pauses.map(({ atMs, itemId, number, outcome, score }) => (
      { at_ms: atMs, item_id: itemId, number, outcome, score })),
    commits: tracks.commits.map(({ atMs, itemId }) => ({ at_ms: atMs, item_id: itemId })),
    verdicts: tracks.verdicts.map(({ atMs, fromMs, itemId, verdict }) => (
      { at_ms: atMs, speech_from_ms: fromMs, item_id: itemId, verdict })),
    agent_stops: tracks.cuts.map(({ atMs, itemId, afterMs }) => ({ at_ms: atMs, item_id: itemId, after_decision_ms: afterMs })),
    underruns: tracks.gaps.map(({ atMs, missingMs }) => ({ at_ms: atMs, missing_ms: missingMs })),
  };
}
