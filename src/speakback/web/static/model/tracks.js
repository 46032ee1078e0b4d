/**
 * The two tracks of a conversation: both voices' levels, who spoke when, and what was decided where. Pure, but for the
 * levels, which are written in place (`levels.js`): of several states of one call only the newest counts.
 *
 * All times are the call's (`call.nowMs()`), in ms. Server media time M is the call's M + mediaOffsetMs.
 *
 * @typedef {{startMs: number, endMs: number|null}} Span  open while `endMs` is null
 */

import { FRAME_MS } from '../audio/format.js';
import { silence, write } from './levels.js';

const KEPT = 4000;
/** An agent's voice that was away for longer begins another span. */
const JOINED_MS = 400;
/** By so much the server may tell late of where a voice began or ended. */
const REVISED_MS = 2500;

/** @returns {object} the tracks of a call that has not begun */
export function initial() {
  return {
    levels: { user: silence(), agent: silence() },
    /** @type {Span[]} stretches of the user's voice */
    voice: [],
    /** @type {(Span & {itemId: string})[]} stretches in which the agent could be heard */
    replies: [],
    /** @type {Span[]} the agent was ducked, or held */
    ducks: [], holds: [],
    /** @type {(Span & {itemId: string, text: string|null})[]} the user's turns */
    turns: [],
    /** @type {{atMs: number, itemId: string, number: number, outcome: string, score: number|null}[]} */
    pauses: [],
    /** @type {{atMs: number, fromMs: number, itemId: string, verdict: string}[]} */
    verdicts: [],
    /** @type {{atMs: number, itemId: string}[]} a turn was over */
    commits: [],
    /** @type {{atMs: number, itemId: string, afterMs: number|null}[]} the agent was stopped, so long after the order */
    cuts: [],
    /** @type {{atMs: number, missingMs: number}[]} the agent's sound ran dry at the page, from then on and so long */
    gaps: [],
    /** @type {{atMs: number, itemId: string, text: string}[]} what the agent said, as its words came */
    words: [],
    floor: null,
    endMs: 0,
    version: 0,
  };
}

/**
 * The tracks after `input`: {type: 'heard'|'spoken', atMs, rms, itemId} | {type: 'silenced', atMs, itemId, askedMs} |
 * {type: 'underrun', atMs, missingMs} | {type: 'server', event, atMs, mediaOffsetMs}. Others leave them as they are.
 */
export function next(tracks, input) {
  const { atMs } = input;
  switch (input.type) {
    case 'heard': {
      write(tracks.levels.user, atMs, input.rms);
      return moved(tracks, atMs + FRAME_MS);
    }
    case 'spoken': {
      write(tracks.levels.agent, atMs, input.rms);
      return moved({ ...tracks, replies: spoken(tracks.replies, input) }, atMs + FRAME_MS);
    }
    case 'silenced': {
      const afterMs = Number.isFinite(input.askedMs) ? atMs - input.askedMs : null;
      return moved({ ...tracks, cuts: kept(tracks.cuts, { atMs, itemId: input.itemId, afterMs }) }, atMs);
    }
    case 'underrun': {
      const { missingMs } = input; // it is told when the sound is back
      return changed({ ...tracks, gaps: kept(tracks.gaps, { atMs: atMs - missingMs, missingMs }) });
    }
    case 'server': return told(tracks, input);
    default: return tracks;
  }
}

function told(tracks, { event, atMs, mediaOffsetMs }) {
  const onCall = (mediaMs) => (Number.isFinite(mediaOffsetMs) ? mediaMs + mediaOffsetMs : atMs);
  switch (event.type) {
    case 'speakback.floor': return floored(tracks, event, onCall(event.audio_ms));
    case 'speakback.pause': return paused(tracks, event, onCall(event.audio_ms));
    case 'speakback.overlap': return judged(tracks, event, onCall(event.audio_start_ms));
    case 'input_audio_buffer.speech_started': return opened(tracks, event.item_id, onCall(event.audio_start_ms));
    case 'input_audio_buffer.speech_stopped': return closed(tracks, event.item_id, onCall(event.audio_end_ms));
    case 'input_audio_buffer.committed':
      return moved({ ...tracks, commits: kept(tracks.commits, { atMs, itemId: event.item_id }) }, atMs);
    case 'conversation.item.deleted':
      return changed({ ...tracks, turns: tracks.turns.filter((turn) => turn.itemId !== event.item_id) });
    case 'conversation.item.input_audio_transcription.completed':
      return inTurn(tracks, event.item_id, { text: event.transcript });
    case 'response.output_audio_transcript.delta':
      return changed({ ...tracks, words: kept(tracks.words, { atMs, itemId: event.item_id, text: event.delta }) });
    default: return tracks;
  }
}

function floored(tracks, { user, agent, holder, ducked }, atMs) {
  return changed({
    ...tracks,
    floor: { user, agent, holder, ducked },
    voice: switched(tracks.voice, user === 'speaking', atMs),
    ducks: switched(tracks.ducks, ducked === true, atMs),
    holds: switched(tracks.holds, agent === 'paused', atMs),
  });
}

/** The spans after something was on or off at `atMs`. */
function switched(spans, isOn, atMs) {
  const last = spans.at(-1);
  const isOpen = last !== undefined && last.endMs === null;
  if (isOn === isOpen) return spans;
  if (isOn) return kept(spans, { startMs: atMs, endMs: null });
  return spans.with(-1, { ...last, endMs: Math.max(atMs, last.startMs) });
}

function paused(tracks, { item_id: itemId, number, outcome, score }, atMs) {
  const pause = { atMs, itemId, number, outcome, score: Number.isFinite(score) ? score : null };
  const others = tracks.pauses.filter((other) => other.itemId !== itemId || other.number !== number);
  return changed({ ...tracks, pauses: kept(others, pause), voice: endedAt(tracks, atMs) });
}

function judged(tracks, { item_id: itemId, verdict, after_ms: afterMs }, fromMs) {
  const mark = { atMs: fromMs + afterMs, fromMs, itemId, verdict };
  const others = tracks.verdicts.filter((other) => other.itemId !== itemId);
  return changed({ ...tracks, verdicts: kept(others, mark), voice: begunAt(tracks.voice, fromMs) });
}

function opened(tracks, itemId, atMs) {
  const voice = begunAt(tracks.voice, atMs);
  const last = voice.at(-1);
  const isVoiced = last !== undefined && last.startMs <= atMs && atMs < (last.endMs ?? Infinity);
  return inTurn({ ...tracks, voice: isVoiced ? voice : switched(voice, true, atMs) }, itemId, { startMs: atMs });
}

function closed(tracks, itemId, atMs) {
  return inTurn({ ...tracks, voice: endedAt(tracks, atMs, true) }, itemId, { endMs: atMs });
}

function inTurn(tracks, itemId, change) {
  const at = tracks.turns.findLastIndex((turn) => turn.itemId === itemId);
  if (at >= 0) return changed({ ...tracks, turns: tracks.turns.with(at, { ...tracks.turns[at], ...change }) });
  const judgedMs = tracks.verdicts.findLast((mark) => mark.itemId === itemId)?.fromMs;
  const turn = { itemId, startMs: judgedMs ?? tracks.endMs, endMs: null, text: null, ...change };
  // One turn is open at a time: the end of one that still is was lost with a connection.
  const before = tracks.turns.map((other) => (other.endMs === null ? { ...other, endMs: turn.startMs } : other));
  return changed({ ...tracks, turns: kept(before, turn) });
}

/** The server dated the newest stretch of voice back to `atMs`. */
function begunAt(voice, atMs) {
  const last = voice.at(-1);
  const isIt = last !== undefined && last.startMs > atMs && last.startMs - atMs < REVISED_MS
    && (voice.at(-2)?.endMs ?? -Infinity) <= atMs;
  return isIt ? voice.with(-1, { ...last, startMs: atMs }) : voice;
}

/** The stretch of voice that `atMs` lies in ended there: the server noticed it only later. */
function endedAt({ voice, floor }, atMs, isSure = false) {
  const at = voice.findLastIndex((span) => span.startMs < atMs);
  if (at < 0) return voice;
  const { endMs } = voice[at];
  const isOpen = endMs === null && (isSure || floor?.user !== 'speaking');
  const isLate = endMs !== null && endMs > atMs && endMs - atMs < REVISED_MS;
  return isOpen || isLate ? voice.with(at, { ...voice[at], endMs: atMs }) : voice;
}

function spoken(replies, { itemId, atMs }) {
  const last = replies.at(-1);
  if (last !== undefined && last.itemId === itemId && atMs - last.endMs <= JOINED_MS) {
    return replies.with(-1, { ...last, endMs: Math.max(last.endMs, atMs + FRAME_MS) });
  }
  return kept(replies, { startMs: atMs, endMs: atMs + FRAME_MS, itemId });
}

/** Where both could be heard, within [fromMs, toMs). @returns {{startMs: number, endMs: number}[]} */
export function overlaps(tracks, fromMs, toMs) {
  const both = [];
  for (const voice of within(tracks.voice, fromMs, toMs, tracks.endMs)) {
    for (const reply of within(tracks.replies, voice.startMs, voice.endMs, tracks.endMs)) both.push(reply);
  }
  return both;
}

/** The parts of spans that lie in [fromMs, toMs); what is still open goes on to `nowMs`. */
export function within(spans, fromMs, toMs, nowMs) {
  const parts = [];
  for (let at = spans.length - 1; at >= 0; at -= 1) {
    const startMs = Math.max(spans[at].startMs, fromMs);
    const endMs = Math.min(spans[at].endMs ?? nowMs, toMs);
    if (startMs < endMs) parts.push({ ...spans[at], startMs, endMs });
    if (spans[at].startMs < fromMs && spans[at].endMs !== null) break;
  }
  return parts.reverse();
}

function kept(list, item) {
  return [...list.slice(-(KEPT - 1)), item];
}

function changed(tracks) {
  return { ...tracks, version: tracks.version + 1 };
}

function moved(tracks, atMs) {
  return { ...tracks, endMs: Math.max(tracks.endMs, atMs), version: tracks.version + 1 };
}
