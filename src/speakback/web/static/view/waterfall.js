/** Turns of the ledger as waterfalls: one in full, and all of them as strips on the same axis. */

import { artifactWords } from '../model/ledger.js';
import { element, shownMs, shownNumber } from './dom.js';

export const STRIPS_SHOWN = 40;
const NAMES = {
  endpointing: 'Endpointing', transcription: 'Transcription', first_token: 'Model, first token',
  first_clause: 'Model, first clause', synthesis: 'Synthesis', sending: 'Sending', network: 'Network', playout: 'Playout',
};
const ROUND_MS = [500, 1000, 1500, 2000, 3000, 4000, 6000, 8000, 12000, 16000, 24000, 32000];

/** The end of the axis that all these turns fit on: a round number of ms. */
export function axisMs(turns) {
  const furthest = turns.flatMap((turn) => [turn.ttfaMs ?? 0, ...turn.stages.map(({ startMs, ms }) => (startMs ?? 0) + (ms ?? 0))]);
  const needed = Math.max(0, ...furthest);
  return ROUND_MS.find((ms) => ms >= needed) ?? Math.ceil(needed / 10000) * 10000;
}

/** One turn's stages, each in a row with its time. */
export function waterfall(turn, endMs) {
  const rows = turn.stages.map((stage) => element('tr', {},
    element('th', { scope: 'row' }, NAMES[stage.name]),
    element('td', { class: 'lane' }, ...bars([stage], endMs), ...heardLine(turn, endMs)),
    element('td', { class: 'figure' }, shownMs(stage.ms))));
  const ticks = element('td', { 'aria-hidden': 'true' }, element('div', { class: 'ticks' },
    element('span', {}, '0'), element('span', {}, `${endMs / 2000} s`), element('span', {}, `${endMs / 1000} s`)));
  return element('table', { class: 'waterfall' },
    element('caption', { class: 'vh' }, `Turn ${turn.number}: the stages from the end of your speech`),
    element('tbody', {}, ...rows),
    element('tfoot', {}, element('tr', {}, element('td'), ticks, element('td'))));
}

/** The facts of a turn beside its times, in words. */
export function facts(turn) {
  return [
    turn.itemId === null && turn.server ? 'typed, or asked for' : null,
    `ASR ${shownNumber(turn.asrConfidence, 2)}`,
    artifactFact(turn),
    draftFact(turn),
    turn.ownMs === null ? null : `server itself ${shownMs(turn.ownMs)}`,
    turn.server?.decisions?.length ? turn.server.decisions.map((decision) => decision.reason).join('; ') : null,
    turn.server ? null : 'stages come when the reply ends',
  ].filter((fact) => fact !== null);
}

function artifactFact({ artifactCount, artifacts }) {
  if (artifactCount === null) return 'artifacts –';
  if (artifactCount === 0) return 'no artifacts';
  return `${artifactCount} artifact${artifactCount === 1 ? '' : 's'} (${artifactWords(artifacts).join(', ')})`;
}

function draftFact({ drafted, draftsDiscarded }) {
  const wasted = draftsDiscarded ? `${draftsDiscarded} wasted` : null;
  if (drafted === true) return ['draft promoted', wasted].filter(Boolean).join(', ');
  if (drafted === false) return wasted ? `no draft promoted, ${wasted}` : 'no draft';
  return 'draft –';
}

/** A turn in one line: a button that has it shown in full. */
export function strip(turn, endMs, isChosen) {
  const name = `Turn ${turn.number}, heard after ${shownMs(turn.ttfaMs)}, sent after ${shownMs(turn.ttfbMs)}`;
  return element('button', { type: 'button', class: 'strip', 'aria-pressed': String(isChosen), 'aria-label': name },
    element('span', { class: 'number' }, String(turn.number)),
    element('span', { class: 'lane' }, ...bars(turn.stages, endMs), ...heardLine(turn, endMs)),
    element('span', { class: 'figure' }, shownMs(turn.ttfaMs ?? turn.ttfbMs)));
}

function bars(stages, endMs) {
  return stages.filter(({ startMs, ms }) => startMs !== null && ms > 0).map(({ name, startMs, ms, isLatest }) => {
    const bar = element('span', { class: `bar ${name}${isLatest ? ' latest' : ''}`, title: `${NAMES[name]} ${shownMs(ms)}` });
    place(bar, Math.max(startMs, 0), Math.min(startMs + ms, endMs), endMs);
    return bar;
  });
}

/** Where the user first heard the answer. */
function heardLine(turn, endMs) {
  if (turn.ttfaMs === null || turn.ttfaMs < 0 || turn.ttfaMs > endMs) return [];
  const line = element('span', { class: 'heard' });
  place(line, turn.ttfaMs, turn.ttfaMs, endMs);
  return [line];
}

function place(made, fromMs, toMs, endMs) {
  made.style.setProperty('--from', String(fromMs / endMs));
  made.style.setProperty('--share', String(Math.max(toMs - fromMs, 0) / endMs));
}

/** What the colours mean. */
export function key() {
  const parts = [['endpointing', 'waiting'], ['transcription', 'listening'], ['first_token', 'model'], ['synthesis', 'voice'],
    ['network', 'network']];
  const items = parts.map(([stage, words]) => element('li', {}, element('span', { class: `bar ${stage}` }), words));
  return element('ul', { class: 'key', 'aria-hidden': 'true' }, ...items);
}

