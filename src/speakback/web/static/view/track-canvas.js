/**
 * A canvas with the two tracks on it: as large as its box and as sharp as the screen, in the page's colours, and with a
 * cursor that a pointer or the keyboard moves. Who owns it says what to show, and when.
 */

import { describe, events } from '../model/track-words.js';
import { drawTracks, scale } from './draw-tracks.js';

const COLOURS = ['user', 'agent', 'ink', 'soft', 'faint', 'line', 'bad'];
const STEPS_MS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1 };

export class TrackCanvas {
  #size = { width: 0, height: 0, ratio: 1 };
  #colours = null;
  #redraw;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{redraw: () => void, label: string}} owner  `redraw` is called when size or colours changed
   */
  constructor(canvas, { redraw, label }) {
    this.canvas = canvas;
    this.#redraw = redraw;
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'slider');
    canvas.setAttribute('aria-label', label);
    canvas.setAttribute('aria-valuemin', '0');
    this.rest();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    document.addEventListener('speakback:theme', () => this.#recolour());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#recolour());
  }

  /** How much time it shows, in ms. */
  get windowMs() {
    return scale(Math.max(this.#size.width, 1)).windowMs;
  }

  /** The point in time at `clientX`, where the left edge is at `fromMs`. */
  timeAt(clientX, fromMs) {
    const { left, width } = this.canvas.getBoundingClientRect();
    return fromMs + ((clientX - left) / width) * this.windowMs;
  }

  /** Draw the tracks from `fromMs` on. */
  draw(tracks, { fromMs, cursorMs = null, playheadMs = null }) {
    if (this.#size.width === 0) return;
    this.#colours ??= this.#readColours();
    const ctx = this.canvas.getContext('2d');
    ctx.setTransform(this.#size.ratio, 0, 0, this.#size.ratio, 0, 0);
    drawTracks(ctx, tracks, { ...this.#size, fromMs, cursorMs, playheadMs }, this.#colours);
  }

  /** No point in time is asked about. */
  rest() {
    this.canvas.setAttribute('aria-valuenow', '0');
    this.canvas.setAttribute('aria-valuetext', 'Use the arrow keys to ask what was where');
  }

  /** Tell assistive technology where the cursor is, and what is there. */
  speak(tracks, atMs) {
    this.canvas.setAttribute('aria-valuemax', (tracks.endMs / 1000).toFixed(1));
    this.canvas.setAttribute('aria-valuenow', (atMs / 1000).toFixed(1));
    this.canvas.setAttribute('aria-valuetext', describe(tracks, atMs));
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = devicePixelRatio;
    this.#size = { width, height, ratio };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.#redraw();
  }

  #recolour() {
    this.#colours = null;
    this.#redraw();
  }

  #readColours() {
    const style = getComputedStyle(this.canvas);
    return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }
}

/**
 * Where a key moves the cursor: arrows by `stepMs` (ten times that with Shift), Page Up and Down to the decision before
 * and after, Home and End to the ends.
 * @returns {number|null} null for a key that does not move it
 */
export function movedBy(event, tracks, atMs, stepMs) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const within = (ms) => Math.min(Math.max(ms, 0), tracks.endMs);
  if (event.key in STEPS_MS) return within(atMs + STEPS_MS[event.key] * stepMs * (event.shiftKey ? 10 : 1));
  if (event.key === 'Home') return 0;
  if (event.key === 'End') return tracks.endMs;
  if (event.key === 'PageUp') return events(tracks).findLast((each) => each.atMs < atMs - 1)?.atMs ?? 0;
  if (event.key === 'PageDown') return events(tracks).find((each) => each.atMs > atMs + 1)?.atMs ?? tracks.endMs;
  return null;
}
