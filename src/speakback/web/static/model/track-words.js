/** The tracks in words: what lies under a point in time, the latest events, the whole. Pure. */

import { at, decibels, frameAt } from './levels.js';
import { overlaps } from './tracks.js';

const NEAR_MS = 120;
const VERDICTS = {
  hold: 'open, the agent is held until it is clear',
  backchannel: 'a backchannel, the agent goes on',
  noise: 'noise, the agent goes on',
  echo: 'the agent’s own echo, it goes on',
  interruption: 'an interruption, the agent gives way',
};
const OUTCOMES = {
  moot: 'it was over before a score came',
  late: 'the score came too late',
  busy: 'the server was too busy',
  failed: 'the model failed',
  policy: 'this strategy asks for none',
  short: 'too little was said',
  words: 'the words told enough',
};

/** A point in time as 0:12.4. */
export function clock(ms) {
  const tenths = Math.max(Math.round(ms / 100), 0);
  const minutes = Math.floor(tenths / 600);
  const seconds = (tenths - 600 * minutes) / 10;
  return `${minutes}:${seconds.toFixed(1).padStart(4, '0')}`;
}

/** What is said and decided around `atMs`, in a sentence or two. */
export function describe(tracks, atMs) {
  const isIn = (span) => span.startMs <= atMs && atMs < (span.endMs ?? tracks.endMs);
  const userSpeaks = tracks.voice.some(isIn);
  const user = userSpeaks ? `you speak${loudness(tracks.levels.user, atMs)}` : 'you are silent';
  const agent = agentWords(tracks, isIn, atMs);
  const both = userSpeaks && tracks.replies.some(isIn) ? ', both at once' : '';
  const marks = events(tracks, (mark) => Math.abs(mark.atMs - atMs) <= NEAR_MS).map((event) => event.words);
  const turn = tracks.turns.find((span) => isIn(span) && span.text);
  const said = turn ? [`You said “${shortened(turn.text)}”`] : [];
  return [`${clock(atMs)}: ${user}, ${agent}${both}`, ...marks.map(capital), ...said].join('. ') + '.';
}

function agentWords(tracks, isIn, atMs) {
  if (tracks.holds.some(isIn)) return 'the agent is held';
  if (!tracks.replies.some(isIn)) return 'the agent is silent';
  return `the agent speaks${tracks.ducks.some(isIn) ? ', ducked' : ''}${loudness(tracks.levels.agent, atMs)}`;
}

function loudness(levels, atMs) {
  const level = decibels(at(levels, frameAt(atMs)));
  return Number.isFinite(level) ? ` (${Math.round(level).toString().replace('-', '−')} dB)` : '';
}

/** What was decided, in order; of all of it, or of the marks that are `wanted`. @returns {{atMs: number, words: string}[]} */
export function events(tracks, wanted = () => true) {
  const inWords = (marks, words) => marks.filter(wanted).map((mark) => ({ atMs: mark.atMs, words: words(mark) }));
  return [
    ...inWords(tracks.pauses, pauseWords),
    ...inWords(tracks.commits, () => 'turn over'),
    ...inWords(tracks.verdicts, ({ verdict }) => `your speech over the agent: ${VERDICTS[verdict] ?? verdict}`),
    ...inWords(tracks.cuts, stopWords),
    ...inWords(tracks.gaps, ({ missingMs }) => `the agent’s sound ran dry for ${Math.round(missingMs)} ms`),
  ].sort((a, b) => a.atMs - b.atMs);
}

function stopWords({ afterMs }) {
  return afterMs === null ? 'the agent stops' : `the agent stops, ${Math.max(Math.round(afterMs), 0)} ms after the decision`;
}

function pauseWords({ number, outcome, score }) {
  if (score !== null) return `pause ${number}: the turn ends here with ${score.toFixed(2)}`;
  return `pause ${number} has no score: ${OUTCOMES[outcome] ?? outcome}`;
}

/** The last events, the newest first, each with its time. */
export function latest(tracks, count) {
  return events(tracks).slice(-count).reverse().map(({ atMs, words }) => `${clock(atMs)} ${words}`);
}

/** The whole in one sentence. */
export function summary(tracks) {
  const both = overlaps(tracks, 0, tracks.endMs).length;
  return `${clock(tracks.endMs)} of conversation: ${plural(tracks.turns.length, 'turn')} of yours, `
    + `${plural(new Set(tracks.replies.map((reply) => reply.itemId)).size, 'reply', 'replies')}, `
    + `${plural(both, 'overlap')}, ${plural(tracks.cuts.length, 'stop')} of the agent`;
}

/**
 * What was said, in order: a turn of the user whole, the agent's words each with its time.
 * @returns {{who: 'user'|'agent', atMs: number, words: {fromMs: number, text: string}[]}[]}
 */
export function utterances(tracks) {
  const user = tracks.turns.filter((turn) => turn.text)
    .map(({ startMs, text }) => ({ who: 'user', atMs: startMs, words: [{ fromMs: startMs, text }] }));
  const agent = Map.groupBy(tracks.words, ({ itemId }) => itemId);
  const replies = [...agent.values()].map((words) => (
    { who: 'agent', atMs: words[0].atMs, words: words.map(({ atMs, text }) => ({ fromMs: atMs, text })) }));
  return [...user, ...replies].sort((a, b) => a.atMs - b.atMs);
}

function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

function shortened(text) {
  return text.length <= 90 ? text : `${text.slice(0, 89).trimEnd()}…`;
}

function capital(words) {
  return words[0].toUpperCase() + words.slice(1);
}
