/**
 * How loud one voice was, 20 ms by 20 ms, for the last 30 minutes: a ring of bytes that is written in place.
 *
 * A byte is a height on a scale of decibels: 0 is silence (-60 dBFS and below), 255 full scale.
 */

import { FRAME_MS } from '../audio/format.js';

export const FRAMES_KEPT = 30 * 60 * 1000 / FRAME_MS;
const FLOOR_DB = -60;

/** @returns {{heights: Uint8Array, end: number}} `end`: one behind the newest frame, counted from the call's begin */
export function silence() {
  return { heights: new Uint8Array(FRAMES_KEPT), end: 0 };
}

/** The height of a linear level (0..1). */
export function height(rms) {
  if (!(rms > 0)) return 0;
  const share = 1 - 20 * Math.log10(rms) / FLOOR_DB;
  return Math.round(255 * Math.min(Math.max(share, 0), 1));
}

/** The decibels of a height; -Infinity for silence. */
export function decibels(heightOf) {
  return heightOf === 0 ? -Infinity : FLOOR_DB * (1 - heightOf / 255);
}

/** The frame that a point in time lies in. A thousandth of a frame early still counts: clocks are sums of fractions. */
export function frameAt(atMs) {
  return Math.floor(atMs / FRAME_MS + 1e-3);
}

/** Write the level of the frame at `atMs`; frames that were left out are silent, those older than the ring are lost. */
export function write(levels, atMs, rms) {
  const frame = frameAt(atMs);
  if (frame < 0 || frame < levels.end - FRAMES_KEPT) return;
  const fresh = Math.max(levels.end, frame - FRAMES_KEPT + 1);
  for (let left = fresh; left < frame; left += 1) levels.heights[left % FRAMES_KEPT] = 0;
  levels.heights[frame % FRAMES_KEPT] = height(rms);
  levels.end = Math.max(levels.end, frame + 1);
}

/** The height of a frame; 0 where nothing is known (any more). */
export function at(levels, frame) {
  if (frame < 0 || frame >= levels.end || frame < levels.end - FRAMES_KEPT) return 0;
  return levels.heights[frame % FRAMES_KEPT];
}

/** The greatest height of the frames in [from, to). */
export function highest(levels, from, to) {
  let found = 0;
  for (let frame = from; frame < to; frame += 1) found = Math.max(found, at(levels, frame));
  return found;
}
