/**
 * The page's latency ledger: for each reply, what the server measured of it and what this page measured. Pure.
 *
 * `…AtMs`, `endMs`, `arrivedMs` and `audibleMs` are points in the call's time (`call.nowMs()`); the rest are durations.
 * What was not measured is null, never 0.
 *
 * @typedef {{name: string, startMs: number|null, ms: number|null, isLatest: boolean}} Stage
 *   `startMs` counts from the end of the user's speech. `isLatest`: it lay there or earlier (a draft's stages, made
 *   while the server still waited).
 * @typedef {object} Turn
 * @property {number} number        from 1
 * @property {string|null} itemId   of the user's speech; null for a typed turn, or a reply that was asked for
 * @property {string|null} responseId
 * @property {string|null} agentItemId
 * @property {number|null} endMs    the end of the user's speech
 * @property {number|null} arrivedMs  the reply's first sound reached the page
 * @property {number|null} audibleMs  it left the loudspeaker's worklet
 * @property {object|null} server   `speakback.latency` as it came
 * @property {Stage[]} stages
 * @property {number|null} ttfbMs   at the server: last voiced sample in, first audio out
 * @property {number|null} ttfaMs   at the page: last voiced sample, first audible one
 * @property {number|null} networkMs  of what the page measured, what the server did not: the way there and back
 * @property {number|null} playoutMs  from the first message to the first audible sample
 * @property {number|null} ownMs    the server's own time, neither a model's nor a wait
 * @property {number|null} asrConfidence
 * @property {object|null} artifacts
 * @property {number|null} artifactCount
 * @property {boolean|null} drafted
 * @property {number} draftsDiscarded  since the turn before
 * @property {number|null} rttMs
 * @property {number|null} loopLagMs
 * @property {boolean} isGap        whether its TTFA is a gap between two turns: the first answer to speech
 */

export const STAGES = [
  'endpointing', 'transcription', 'first_token', 'first_clause', 'synthesis', 'sending', 'network', 'playout',
];
export const MAX_TURNS = 1000;
const MAX_ENDS = 50;

/** @returns {object} the ledger of a call that has not begun */
export function initial() {
  return { turns: [], gaps: [], drafts: null, stats: null, ends: [], discarded: 0 };
}

/**
 * The ledger after `input`: {type: 'server', event, atMs, mediaOffsetMs} | {type: 'audible', itemId, atMs, arrivedMs} |
 * {type: 'stats', …call.stats}. Others leave it as it is.
 */
export function next(ledger, input) {
  switch (input.type) {
    case 'server': return told(ledger, input.event, input.mediaOffsetMs);
    case 'audible': return heard(ledger, input);
    case 'stats': return { ...ledger, stats: statsOf(input) };
    default: return ledger;
  }
}

function told(ledger, event, mediaOffsetMs) {
  switch (event.type) {
    case 'input_audio_buffer.speech_stopped': return ended(ledger, event, mediaOffsetMs);
    case 'conversation.item.deleted': return forgotten(ledger, event.item_id);
    case 'response.created': return begun(ledger, event.response.id);
    case 'response.output_item.added': return named(ledger, event);
    case 'speakback.latency': return measured(ledger, event);
    case 'speakback.drafts': return drafted(ledger, event);
    default: return ledger;
  }
}

function ended(ledger, event, mediaOffsetMs) {
  const endMs = sum(event.audio_end_ms, mediaOffsetMs);
  const end = { itemId: event.item_id, endMs, isAnswered: false };
  return { ...ledger, ends: [...ledger.ends, end].slice(-MAX_ENDS) };
}

/** There were no words in it: nothing answers it. */
function forgotten(ledger, itemId) {
  return { ...ledger, ends: ledger.ends.filter((end) => end.itemId !== itemId) };
}

/** A reply begins: until the server says what it answers, it is taken to answer the newest speech that has no answer. */
function begun(ledger, responseId) {
  const last = ledger.ends.at(-1);
  const open = last && !last.isAnswered ? last : null;
  const ends = open ? [...ledger.ends.slice(0, -1), { ...open, isAnswered: true }] : ledger.ends;
  const turn = { ...blank(ledger, responseId), itemId: open?.itemId ?? null, endMs: open?.endMs ?? null };
  return counted({ ...ledger, ends, discarded: 0 }, [...ledger.turns, derived(turn)].slice(-MAX_TURNS));
}

function blank(ledger, responseId) {
  return {
    number: (ledger.turns.at(-1)?.number ?? 0) + 1, responseId, itemId: null, agentItemId: null,
    endMs: null, arrivedMs: null, audibleMs: null, server: null, draftsDiscarded: ledger.discarded,
    rttMs: ledger.stats?.rttMs ?? null, loopLagMs: ledger.stats?.loopLagMs ?? null,
  };
}

function named(ledger, event) {
  if (event.item?.type !== 'message') return ledger;
  return changed(ledger, (turn) => turn.responseId === event.response_id && turn.agentItemId === null,
    { agentItemId: event.item.id });
}

function heard(ledger, { itemId, atMs, arrivedMs }) {
  return changed(ledger, (turn) => turn.agentItemId === itemId && turn.audibleMs === null,
    { audibleMs: atMs, arrivedMs: number(arrivedMs) });
}

function measured(ledger, event) {
  const isKnown = ledger.turns.some((turn) => turn.responseId === event.response_id);
  const before = isKnown ? ledger : begun(ledger, event.response_id);
  const endMs = ledger.ends.findLast((end) => end.itemId === event.item_id)?.endMs ?? null;
  return changed(before, (turn) => turn.responseId === event.response_id,
    { server: event, itemId: event.item_id, endMs });
}

/** The server counts them over the conversation; what was not promoted since the last count was thrown away. */
function drafted(ledger, event) {
  const { started, promoted, wasted_tokens, wasted_characters, useful_tokens, useful_characters } = event;
  const before = ledger.drafts;
  const isSameBook = before !== null && started >= before.started;
  const isPromotion = promoted > (isSameBook ? before.promoted : 0);
  const drafts = {
    started, promoted, discarded: (isSameBook ? before.discarded : 0) + (isPromotion ? 0 : 1),
    wastedTokens: wasted_tokens, wastedCharacters: wasted_characters,
    usefulTokens: useful_tokens, usefulCharacters: useful_characters,
  };
  return { ...ledger, drafts, discarded: ledger.discarded + (isPromotion ? 0 : 1) };
}

function changed(ledger, isMeant, change) {
  const at = ledger.turns.findLastIndex(isMeant);
  if (at < 0) return ledger;
  const turns = ledger.turns.with(at, derived({ ...ledger.turns[at], ...change }));
  return counted(ledger, turns);
}

/** Which TTFA are gaps between turns: of several replies to the same speech, the first that was heard. */
function counted(ledger, turns) {
  const answered = new Set();
  const judged = turns.map((turn) => {
    const isGap = turn.itemId !== null && turn.ttfaMs !== null && !answered.has(turn.itemId);
    if (isGap) answered.add(turn.itemId);
    return isGap === turn.isGap ? turn : { ...turn, isGap };
  });
  return { ...ledger, turns: judged, gaps: judged.filter((turn) => turn.isGap).map((turn) => turn.ttfaMs) };
}

function derived(turn) {
  const { server } = turn;
  const ttfbMs = number(server?.ttfb_ms);
  const arrivalMs = difference(turn.arrivedMs, turn.endMs);
  const networkMs = difference(arrivalMs, ttfbMs);
  const playoutMs = difference(turn.audibleMs, turn.arrivedMs);
  const page = [stage('network', ttfbMs, networkMs), stage('playout', arrivalMs, playoutMs)];
  return {
    isGap: false, ...turn, ttfbMs, networkMs, playoutMs,
    ttfaMs: difference(turn.audibleMs, turn.endMs),
    ownMs: number(server?.own_ms),
    asrConfidence: number(server?.asr_confidence),
    artifacts: server?.artifacts ?? null,
    artifactCount: artifactCount(server?.artifacts ?? null),
    drafted: server ? server.drafted : null,
    stages: [...serverStages(server), ...page],
  };
}

/**
 * Where the server's stages lay. The wait and the transcription count from the end of speech, the rest backwards from
 * the first byte. Of a draft whose voice was ready before the turn was over it is only known by when at the latest.
 */
function serverStages(server) {
  const waitMs = number(server?.endpointing_wait_ms);
  const readMs = number(server?.transcription_ms);
  const ttfbMs = number(server?.ttfb_ms);
  const sendingMs = number(server?.first_byte_ms);
  const work = ['first_token', 'first_clause', 'synthesis'].map((name) => [name, number(server?.[`${name}_ms`])]);
  const readyMs = difference(ttfbMs, sendingMs);
  const isLatest = server?.drafted === true && readyMs !== null && sum(waitMs, readMs) !== null
    && readyMs <= waitMs + readMs;
  let toMs = readyMs;
  const laid = work.reverse().map(([name, ms]) => {
    toMs = difference(toMs, ms);
    return stage(name, toMs, ms, isLatest);
  });
  return [
    stage('endpointing', waitMs === null ? null : 0, waitMs),
    stage('transcription', waitMs, readMs),
    ...laid.reverse(),
    stage('sending', readyMs, sendingMs),
  ];
}

/** @returns {Stage} one without a duration has no place either */
function stage(name, startMs, ms, isLatest = false) {
  return { name, startMs: ms === null ? null : startMs, ms, isLatest };
}

/** What a listener would notice: frames late or missing, clicks, and one each for clipping, silence and a cut end. */
function artifactCount(found) {
  if (found === null) return null;
  const often = found.late_frames + found.missing_frames + found.border_jumps;
  return often + [found.clipped_samples > 0, found.unexpected_silence_ms > 0, found.cut_off].filter(Boolean).length;
}

/** What was found in a reply's audio, in words. */
export function artifactWords(found) {
  if (found === null) return [];
  const kinds = [
    [found.late_frames, 'frames late'], [found.missing_frames, 'frames missing'], [found.border_jumps, 'clicks'],
    [found.clipped_samples, 'samples clipped'], [found.unexpected_silence_ms, 'ms of silence'],
  ];
  const words = kinds.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return found.cut_off ? [...words, 'cut off'] : words;
}

function statsOf({ underruns, longTasks, worstLongTaskMs, rttMs, loopLagMs, bufferMs, targetMs, reconnects }) {
  const seen = { underruns, longTasks, worstLongTaskMs, rttMs, loopLagMs, bufferMs, targetMs, reconnects };
  return Object.fromEntries(Object.entries(seen).map(([name, value]) => [name, number(value)]));
}

/** The median of some numbers; null of none. */
export function median(values) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Everything the overlay shows, to be kept or compared: format `speakback.page-latency`, version 1 (docs/page.md).
 * @param {{at: string, sessionId: string|null, human: object|null}} about
 */
export function exported(ledger, { at, sessionId, human }) {
  return {
    format: 'speakback.page-latency', version: 1, exported_at: at, session_id: sessionId,
    turns: ledger.turns.map(exportedTurn),
    gaps: {
      ms: ledger.gaps, median_ms: median(ledger.gaps),
      people: human && { quantity: human.quantity, n: human.n, percentiles_ms: human.percentiles_ms,
        source: human.source, citation: human.citation },
    },
    drafts: ledger.drafts && snaked(ledger.drafts),
    page: ledger.stats && snaked(ledger.stats),
  };
}

function exportedTurn(turn) {
  const { server } = turn;
  return {
    number: turn.number, item_id: turn.itemId, response_id: turn.responseId, agent_item_id: turn.agentItemId,
    ttfb_ms: turn.ttfbMs, ttfa_ms: turn.ttfaMs, network_ms: turn.networkMs, playout_ms: turn.playoutMs,
    own_ms: turn.ownMs, is_gap: turn.isGap, asr_confidence: turn.asrConfidence, drafted: turn.drafted,
    drafts_discarded: turn.draftsDiscarded, artifact_count: turn.artifactCount, artifacts: turn.artifacts,
    decisions: server?.decisions ?? null, rtt_ms: turn.rttMs, loop_lag_ms: turn.loopLagMs,
    stages: turn.stages.map(({ name, startMs, ms, isLatest }) => (
      { name, start_ms: startMs, duration_ms: ms, at_the_latest: isLatest })),
  };
}

function snaked(values) {
  const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [snake(name), value]));
}

/** The value where it is a number, else null. */
function number(value) {
  return Number.isFinite(value) ? value : null;
}

function sum(a, b) {
  return Number.isFinite(a) && Number.isFinite(b) ? a + b : null;
}

function difference(a, b) {
  return Number.isFinite(a) && Number.isFinite(b) ? a - b : null;
}
