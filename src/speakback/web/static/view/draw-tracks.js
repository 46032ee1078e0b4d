/** Draws a stretch of the two tracks: the user's bars grow up, the agent's down, the decisions stand above. */

import { FRAME_MS } from '../audio/format.js';
import { frameAt, highest } from '../model/levels.js';
import { overlaps, within } from '../model/tracks.js';
import { clock } from '../model/track-words.js';

const BAR_PX = 2;
const STEP_PX = 3;
/** A quiet room is not drawn: a row of dots would look like speech. */
const LEAST_BAR_PX = 2.5;
const LABEL_PX = 15;
const FONT = '11px system-ui, sans-serif';
const LABELS = {
  hold: 'held', backchannel: 'backchannel', noise: 'noise', echo: 'echo', interruption: 'interruption',
};

/** Where the lanes lie, from top to bottom, in CSS px. */
export function lanes(height) {
  const labels = 2 * LABEL_PX + 4;
  const scores = 26;
  const clockHeight = 16;
  const voices = height - labels - scores - clockHeight - 8;
  const middle = labels + scores + 8 + voices / 2;
  return {
    scoreTop: labels + 4, scoreBottom: labels + scores, middle,
    top: middle - voices / 2, bottom: middle + voices / 2, bar: voices / 2 - 2,
  };
}

/**
 * How much time fits, so that a bar stands for whole frames: about 20 s, less on a narrow screen.
 * @returns {{frames: number, windowMs: number, msPerPx: number}}
 */
export function scale(width) {
  const wantedMs = width < 600 ? 9000 : 20000;
  const frames = Math.max(Math.round((wantedMs / (width / STEP_PX)) / FRAME_MS), 1);
  const msPerPx = (frames * FRAME_MS) / STEP_PX;
  return { frames, windowMs: width * msPerPx, msPerPx };
}

/**
 * @param {CanvasRenderingContext2D} ctx  scaled to CSS px
 * @param {object} tracks
 * @param {{width: number, height: number, fromMs: number, cursorMs: number|null, playheadMs: number|null,
 *   ratio: number}} view  `ratio`: device px in a CSS px
 * @param {Record<'user'|'agent'|'ink'|'soft'|'faint'|'line'|'bad', string>} colours
 */
export function drawTracks(ctx, tracks, view, colours) {
  const { msPerPx, windowMs, frames } = scale(view.width);
  const pixelMs = msPerPx / view.ratio;
  const fromMs = Math.floor(view.fromMs / pixelMs) * pixelMs; // bars stay on whole device pixels while it scrolls
  const place = { ...lanes(view.height), ...view, fromMs, toMs: fromMs + windowMs, msPerPx, frames };
  place.x = (ms) => (ms - fromMs) / msPerPx;
  ctx.clearRect(0, 0, view.width, view.height);
  ctx.font = FONT;
  ctx.textBaseline = 'alphabetic';
  drawSpans(ctx, tracks, place, colours);
  drawClock(ctx, place, colours);
  drawBars(ctx, tracks, place, colours);
  drawScores(ctx, tracks, place, colours);
  drawMarks(ctx, tracks, place, colours);
  drawLine(ctx, place, view.playheadMs, colours.ink, 1.5);
  drawLine(ctx, place, view.cursorMs, colours.soft, 1);
}

function drawSpans(ctx, tracks, place, colours) {
  const shade = (spans, colour, alpha, top, bottom) => {
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    for (const { startMs, endMs } of spans) ctx.fillRect(place.x(startMs), top, (endMs - startMs) / place.msPerPx, bottom - top);
    ctx.globalAlpha = 1;
  };
  const seen = (spans) => within(spans, place.fromMs, place.toMs, tracks.endMs);
  shade(seen(tracks.turns), colours.user, 0.07, place.top, place.middle);
  shade(overlaps(tracks, place.fromMs, place.toMs), colours.bad, 0.13, place.top, place.bottom);
  shade(seen(tracks.holds), colours.agent, 0.1, place.middle, place.bottom);
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, place.middle - 0.5, place.width, 1);
}

function drawClock(ctx, place, colours) {
  ctx.textAlign = 'center';
  for (let ms = Math.max(Math.ceil(place.fromMs / 1000), 0) * 1000; ms < place.toMs; ms += 1000) {
    const isNamed = ms % 5000 === 0;
    ctx.fillStyle = isNamed ? colours.faint : colours.line;
    ctx.fillRect(Math.round(place.x(ms)), place.bottom + 2, 1, isNamed ? 4 : 3);
    if (isNamed) ctx.fillText(clock(ms).slice(0, -2), Math.max(place.x(ms), 12), place.height - 1);
  }
}

function drawBars(ctx, tracks, place, colours) {
  const first = Math.floor(frameAt(place.fromMs) / place.frames) * place.frames;
  const last = frameAt(Math.min(place.toMs, tracks.endMs));
  const ducks = within(tracks.ducks, place.fromMs, place.toMs, tracks.endMs);
  const isDucked = (ms) => ducks.some(({ startMs, endMs }) => startMs <= ms && ms < endMs);
  const user = new Path2D();
  const agent = new Path2D();
  const ducked = new Path2D();
  for (let frame = Math.max(first, 0); frame <= last; frame += place.frames) {
    const x = place.x(frame * FRAME_MS);
    const up = (highest(tracks.levels.user, frame, frame + place.frames) / 255) * place.bar;
    const down = (highest(tracks.levels.agent, frame, frame + place.frames) / 255) * place.bar;
    if (up >= LEAST_BAR_PX) user.rect(x, place.middle - 1 - up, BAR_PX, up);
    if (down >= LEAST_BAR_PX) (isDucked(frame * FRAME_MS) ? ducked : agent).rect(x, place.middle + 1, BAR_PX, down);
  }
  ctx.fillStyle = colours.user;
  ctx.fill(user);
  ctx.fillStyle = colours.agent;
  ctx.fill(agent);
  ctx.globalAlpha = 0.4;
  ctx.fill(ducked);
  ctx.globalAlpha = 1;
}

/** How sure the server was, at each pause, that the turn ends there. */
function drawScores(ctx, tracks, place, colours) {
  const { scoreTop, scoreBottom } = place;
  ctx.fillStyle = colours.line;
  ctx.fillRect(0, scoreBottom, place.width, 1);
  ctx.globalAlpha = 0.5;
  ctx.fillRect(0, scoreTop, place.width, 1);
  ctx.globalAlpha = 1;
  ctx.textAlign = 'right'; // on the other side the line of the turn's end is near
  let freeFrom = -Infinity;
  for (const { atMs, score } of seenMarks(tracks.pauses, place)) {
    const x = place.x(atMs);
    if (score === null) {
      ctx.fillStyle = colours.faint;
      ctx.fillRect(x - 0.5, scoreBottom - 4, 1, 4);
      continue;
    }
    const y = scoreBottom - score * (scoreBottom - scoreTop);
    ctx.fillStyle = colours.user;
    ctx.fillRect(x - 0.5, y, 1, scoreBottom - y);
    ctx.beginPath();
    ctx.arc(x, y, 3, 0, 2 * Math.PI);
    ctx.fill();
    if (x - 34 >= Math.max(freeFrom, 0)) {
      ctx.fillStyle = colours.soft;
      ctx.fillText(score.toFixed(2), x - 6, Math.min(Math.max(y + 4, scoreTop + 9), scoreBottom - 2));
    }
    freeFrom = x + 4;
  }
}

function drawMarks(ctx, tracks, place, colours) {
  const marks = [
    ...seenMarks(tracks.commits, place).map(({ atMs }) => ({ atMs, label: 'turn over', colour: colours.user, isLong: true })),
    ...seenMarks(tracks.verdicts, place).map(({ atMs, verdict }) => (
      { atMs, label: LABELS[verdict] ?? verdict, colour: verdict === 'interruption' ? colours.bad : colours.soft })),
  ].sort((a, b) => a.atMs - b.atMs);
  const freeFrom = [-Infinity, -Infinity];
  ctx.textAlign = 'left';
  for (const { atMs, label, colour, isLong } of marks) {
    const x = place.x(atMs);
    const row = freeFrom.findIndex((free) => x >= free);
    const top = row < 0 ? place.scoreTop : row * LABEL_PX + 2;
    ctx.fillStyle = colour;
    ctx.globalAlpha = isLong ? 0.8 : 0.5;
    ctx.fillRect(Math.round(x), top, 1, (isLong ? place.bottom : place.middle) - top);
    ctx.globalAlpha = 1;
    if (row < 0) continue; // no room: the line stands for it, and the words come when one points at it
    ctx.fillText(label, x + 4, top + 10);
    freeFrom[row] = x + ctx.measureText(label).width + 10;
  }
  drawStops(ctx, tracks, place, colours);
}

/** In the agent's lane: where it was stopped, and where its sound ran dry. */
function drawStops(ctx, tracks, place, colours) {
  ctx.fillStyle = colours.bad;
  for (const { atMs, missingMs } of seenMarks(tracks.gaps, place)) {
    ctx.fillRect(place.x(atMs), place.middle + 1, Math.max(missingMs / place.msPerPx, 2), 3);
  }
  ctx.fillStyle = colours.agent;
  for (const { atMs } of seenMarks(tracks.cuts, place)) {
    ctx.fillRect(Math.round(place.x(atMs)), place.middle, 1, place.bottom - place.middle + 2);
    ctx.fillText('stopped', place.x(atMs) + 4, place.bottom - 2); // behind it the lane is empty
  }
}

/** Marks whose line or label may be seen. */
function seenMarks(marks, { fromMs, toMs, msPerPx }) {
  const marginMs = 90 * msPerPx;
  return marks.filter(({ atMs }) => atMs >= fromMs - marginMs && atMs <= toMs);
}

function drawLine(ctx, place, atMs, colour, width) {
  if (atMs === null || atMs < place.fromMs || atMs > place.toMs) return;
  ctx.fillStyle = colour;
  ctx.fillRect(place.x(atMs) - width / 2, 0, width, place.bottom + 4);
}
