/** The gaps of this conversation, a dot for each turn, over the curve of people's. */

import { median } from '../model/ledger.js';
import { drawn, shownMs } from './dom.js';

const WIDTH = 360;
const HEIGHT = 132;
const GROUND = 112;
const TOP = 32;
const FIRST_MS = -1500;
const SHORTEST_END_MS = 3000;
const FURTHEST_END_MS = 10000;
const LARGEST_DOT = 3.5;

/**
 * @param {number[]} gaps  ms, in order; the last one stands out
 * @param {object|null} human  `human-gaps.json`; null while it is not there
 */
export function gapPlot(gaps, human) {
  const endMs = Math.min(Math.max(SHORTEST_END_MS, Math.ceil(Math.max(0, ...gaps) / 1000) * 1000), FURTHEST_END_MS);
  const x = (ms) => ((Math.min(Math.max(ms, FIRST_MS), endMs) - FIRST_MS) / (endMs - FIRST_MS)) * (WIDTH - 8) + 4;
  const here = median(gaps);
  return drawn('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'gaps', role: 'img', 'aria-label': inWords(gaps, human) },
    ...(human ? [curve(human, x, endMs)] : []),
    drawn('line', { class: 'zero', x1: x(0), x2: x(0), y1: TOP - 6, y2: GROUND }),
    drawn('line', { class: 'ground', x1: 0, x2: WIDTH, y1: GROUND, y2: GROUND }),
    ...ticks(x, endMs),
    ...dots(gaps, x),
    ...(human ? mark('people', x(human.percentiles_ms[50]), 10, `median of people ${shownMs(human.percentiles_ms[50])}`) : []),
    ...(here === null ? [] : mark('here', x(here), 24, `median here ${shownMs(here)}`)));
}

function inWords(gaps, human) {
  const here = gaps.length ? `${gaps.length} gaps here, median ${shownMs(median(gaps))}` : 'No gaps here yet';
  return human ? `${here}; people’s median is ${shownMs(human.percentiles_ms[50])}` : here;
}

/** Its height is the plot's: only its shape is to be compared. */
function curve(human, x, endMs) {
  const shares = human.share_per_column;
  const tallest = Math.max(...shares);
  const points = shares
    .map((share, at) => [human.first_ms + at * human.step_ms, GROUND - (share / tallest) * (GROUND - TOP)])
    .filter(([ms]) => ms >= FIRST_MS && ms <= endMs)
    .map(([ms, y]) => `${x(ms).toFixed(1)} ${y.toFixed(1)}`);
  return drawn('path', { class: 'curve', d: `M${points[0].split(' ')[0]} ${GROUND}L${points.join('L')}V${GROUND}Z` });
}

/** Dots stand on each other where turns took equally long, and grow smaller where they would not fit. */
function dots(gaps, x) {
  const columns = new Map();
  const placed = gaps.map((ms, at) => {
    const column = Math.round(x(ms) / (2 * LARGEST_DOT + 0.5));
    const below = columns.get(column) ?? 0;
    columns.set(column, below + 1);
    return { column, below, isLast: at === gaps.length - 1 };
  });
  const tallest = Math.max(1, ...columns.values());
  const step = Math.min(2 * LARGEST_DOT + 0.5, (GROUND - TOP) / tallest);
  return placed.map(({ column, below, isLast }) => drawn('circle', {
    class: isLast ? 'gap last' : 'gap', cx: column * (2 * LARGEST_DOT + 0.5), cy: GROUND - (below + 0.5) * step,
    r: Math.max(step / 2 - 0.25, 0.75),
  }));
}

function mark(kind, at, y, words) {
  const isRight = at > WIDTH * 0.6;
  return [
    drawn('line', { class: `median ${kind}`, x1: at, x2: at, y1: y - 8, y2: GROUND }),
    drawn('text', { class: kind, x: at + (isRight ? -4 : 4), y, 'text-anchor': isRight ? 'end' : 'start' }, words),
  ];
}

function ticks(x, endMs) {
  const everyMs = endMs > 5000 ? 2000 : 1000;
  const found = [];
  for (let ms = Math.ceil(FIRST_MS / everyMs) * everyMs; ms <= endMs; ms += everyMs) {
    const words = ms === 0 ? '0' : `${ms < 0 ? '−' : ''}${Math.abs(ms) / 1000} s`;
    found.push(drawn('text', { class: 'tick', x: x(ms), y: HEIGHT - 6, 'text-anchor': ms === endMs ? 'end' : 'middle' }, words));
  }
  return found;
}
