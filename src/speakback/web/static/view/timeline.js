/** The two tracks of the conversation under way, scrolling; a pointer or the keyboard asks what was where. */

import { describe, latest, summary } from '../model/track-words.js';
import { element } from './dom.js';
import { gathered } from './gathered.js';
import { TrackCanvas, movedBy } from './track-canvas.js';

/** The newest sound stands so far from the right edge, as a share of the width: its decision still needs room. */
const AHEAD = 0.06;
const FRAME_EVERY_MS = 30;
const CALM_EVERY_MS = 500;
const TELL_EVERY_MS = 1000;
const EVENTS_TOLD = 8;
const STEP_MS = 100;
const LEGEND = [['user', 'you'], ['agent', 'agent'], ['ducked', 'ducked'], ['held', 'held'], ['both', 'both at once'],
  ['score', 'how sure it was that your turn ends there, 0 to 1']];

/**
 * @param {HTMLElement} root  #timeline, with a canvas
 * @param {import('../call.js').Call} call
 * @returns {{canvas: TrackCanvas}}
 */
export function mount(root, call) {
  const book = gathered(call);
  const { readout, list, whole } = build(root);
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  let cursor = null; // {pointerX} follows a pointer, {atMs} stays at a point in time
  let frame = null;
  let drawnMs = -Infinity;
  let toldMs = -Infinity;

  const canvas = new TrackCanvas(root.querySelector('canvas'), { redraw: () => draw(), label: 'Timeline of both voices' });

  const nowMs = () => (book.isLive ? call.nowMs() : book.tracks.endMs);
  const fromMs = () => {
    const { windowMs } = canvas;
    const liveFrom = nowMs() - windowMs * (1 - AHEAD);
    if (cursor?.atMs === undefined || cursor.atMs > liveFrom + windowMs * 0.04) return liveFrom;
    return cursor.atMs - windowMs / 2;
  };
  const draw = () => {
    if (root.hidden) return;
    const from = fromMs();
    const cursorMs = cursor === null ? null : cursor.atMs ?? canvas.timeAt(cursor.pointerX, from);
    canvas.draw(book.tracks, { fromMs: from, cursorMs });
    readout.hidden = cursorMs === null;
    if (cursorMs !== null) setText(readout, describe(book.tracks, Math.min(cursorMs, nowMs())));
    tell();
  };
  const tell = () => {
    if (performance.now() - toldMs < TELL_EVERY_MS) return;
    toldMs = performance.now();
    setText(whole, summary(book.tracks));
    const told = latest(book.tracks, EVENTS_TOLD);
    if (told.join('\n') === list.dataset.told) return;
    list.dataset.told = told.join('\n');
    list.replaceChildren(...told.map((words) => element('li', {}, words)));
  };
  const run = (timeMs) => {
    frame = null;
    if (timeMs - drawnMs >= (calm.matches ? CALM_EVERY_MS : FRAME_EVERY_MS)) {
      drawnMs = timeMs;
      draw();
    }
    if (book.isLive && !root.hidden) frame = requestAnimationFrame(run);
  };
  const go = () => {
    if (frame === null) frame = requestAnimationFrame(run);
  };

  book.addEventListener('begun', () => {
    root.hidden = false;
    cursor = null;
    toldMs = -Infinity;
    go();
  });
  book.addEventListener('ended', () => {
    root.hidden = book.tracks.endMs === 0;
    draw();
  });
  book.addEventListener('tracks', () => {
    if (!book.isLive) go();
  });
  const point = (next) => {
    cursor = next;
    if (next === null) canvas.rest();
    draw();
  };
  wire(canvas.canvas, {
    point,
    moved: (event) => {
      const atMs = movedBy(event, book.tracks, cursor?.atMs ?? nowMs(), STEP_MS);
      if (atMs === null) return false;
      point({ atMs });
      canvas.speak(book.tracks, atMs);
      return true;
    },
    isPointed: () => cursor !== null,
  });
  return { canvas };
}

function build(root) {
  const readout = element('p', { class: 'readout', hidden: true });
  const whole = element('p', { class: 'vh' });
  const list = element('ol', { class: 'vh', 'aria-label': 'What was decided last' });
  const legend = element('ul', { class: 'legend', 'aria-hidden': 'true' },
    ...LEGEND.map(([kind, words]) => element('li', { class: kind }, words)));
  root.append(element('div', { class: 'under' }, legend, readout), whole, list);
  return { readout, list, whole };
}

/** A pointer over the canvas points; a tap leaves the cursor there; keys move it and Escape takes it away. */
function wire(canvas, { point, moved, isPointed }) {
  canvas.addEventListener('pointermove', (event) => point({ pointerX: event.clientX }));
  canvas.addEventListener('pointerdown', (event) => point({ pointerX: event.clientX }));
  canvas.addEventListener('pointerleave', (event) => {
    if (event.pointerType === 'mouse') point(null);
  });
  canvas.addEventListener('blur', () => point(null));
  canvas.addEventListener('keydown', (event) => {
    const isEscape = event.key === 'Escape' && isPointed();
    if (isEscape) point(null);
    if (isEscape || moved(event)) event.preventDefault();
  });
}

function setText(place, words) {
  if (place.textContent !== words) place.textContent = words;
}
