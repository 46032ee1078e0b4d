/** After a conversation: its recording under the same timeline, to be played, searched and kept. */

import { exported } from '../model/ledger.js';
import { exportedTracks } from '../model/track-file.js';
import { describe } from '../model/track-words.js';
import { download, downloadJson, element, stamp } from './dom.js';
import { gathered } from './gathered.js';
import { Script } from './replay-script.js';
import { TrackCanvas, movedBy } from './track-canvas.js';

/** The playhead stands here, as a share of the width, while the tracks pass under it. */
const PLAYHEAD = 0.4;
const STEP_MS = 500;
/** While it plays, a screen reader is told no more often. */
const TELL_EVERY_MS = 1000;

/**
 * @param {HTMLElement} root  #replay
 * @param {import('../call.js').Call} call
 * @param {{timeline?: HTMLElement|null}} places  the live timeline, whose place it takes
 */
export function mount(root, call, { timeline = document.querySelector('#timeline') } = {}) {
  const book = gathered(call);
  const parts = build(root);
  const { audio } = parts;
  const script = new Script(parts.script, (ms) => seek(ms));
  const canvas = new TrackCanvas(parts.canvas, { redraw: () => draw(), label: 'Replay: where it plays' });
  /** The recording and the call's time at its first sample; null while there is none. */
  let kept = null;
  let pointerX = null;
  let frame = null;
  let toldMs = -Infinity;

  const startMs = () => kept?.startMs ?? 0;
  const playedMs = () => startMs() + audio.currentTime * 1000;
  const fromMs = () => {
    const lastMs = Math.max(book.tracks.endMs - canvas.windowMs, startMs());
    return Math.min(Math.max(playedMs() - canvas.windowMs * PLAYHEAD, startMs()), lastMs);
  };
  const draw = () => {
    if (root.hidden) return;
    const cursorMs = pointerX === null ? null : canvas.timeAt(pointerX, fromMs());
    canvas.draw(book.tracks, { fromMs: fromMs(), cursorMs, playheadMs: playedMs() });
    parts.readout.textContent = describe(book.tracks, cursorMs ?? playedMs());
    script.follow(playedMs());
    tell();
  };
  const tell = () => {
    if (!audio.paused && performance.now() - toldMs < TELL_EVERY_MS) return;
    toldMs = performance.now();
    canvas.speak(book.tracks, playedMs());
  };
  const run = () => {
    draw();
    frame = audio.paused || root.hidden ? null : requestAnimationFrame(run);
  };
  const seek = (ms) => {
    audio.currentTime = Math.max(Math.min(ms, book.tracks.endMs) - startMs(), 0) / 1000;
    draw();
  };
  const toggle = () => {
    if (audio.paused) void audio.play();
    else audio.pause();
  };
  const point = (clientX) => {
    pointerX = clientX;
    if (frame === null) draw();
  };

  audio.addEventListener('play', () => {
    frame ??= requestAnimationFrame(run);
  });
  for (const type of ['pause', 'seeked', 'loadedmetadata']) audio.addEventListener(type, draw);
  book.addEventListener('reset', () => {
    root.hidden = true;
    forget(audio);
    kept = null;
  });
  book.addEventListener('ended', async () => {
    const { recorder } = call;
    if (!(recorder?.durationMs > 0)) return;
    const recording = await recorder.toWav();
    if (call.state !== 'ended') return; // another conversation is asked for meanwhile
    kept = { recording, startMs: recorder.startMs ?? 0 };
    audio.src = URL.createObjectURL(recording);
    script.take(book.tracks);
    root.hidden = false;
    if (timeline) timeline.hidden = true;
    draw();
  });
  parts.canvas.addEventListener('pointermove', (event) => point(event.clientX));
  parts.canvas.addEventListener('pointerleave', () => point(null));
  parts.canvas.addEventListener('click', (event) => seek(canvas.timeAt(event.clientX, fromMs())));
  parts.canvas.addEventListener('keydown', (event) => {
    const ms = movedBy(event, book.tracks, playedMs(), STEP_MS);
    const isToggle = event.key === ' ' || event.key === 'Enter';
    if (ms === null && !isToggle) return;
    event.preventDefault();
    if (isToggle) toggle();
    else seek(ms);
  });
  parts.saveAudio.addEventListener('click', () => download(`speakback-${stamp(new Date())}.wav`, kept.recording));
  parts.saveData.addEventListener('click', () => saveJson(book, startMs()));
  return { canvas };
}

function forget(audio) {
  audio.pause();
  if (!audio.src) return;
  URL.revokeObjectURL(audio.src);
  audio.removeAttribute('src');
  audio.load();
}

function saveJson({ tracks, ledger, sessionId }, recordedFromMs) {
  const now = new Date();
  const about = { at: now.toISOString(), sessionId, recordedFromMs };
  const latency = exported(ledger, { ...about, human: null });
  downloadJson(`speakback-${stamp(now)}.json`, { ...exportedTracks(tracks, about), latency });
}

function build(root) {
  const title = root.querySelector('h2') ?? element('h2', {}, 'Replay');
  title.classList.remove('vh');
  const audio = element('audio', {
    controls: true, preload: 'metadata', 'aria-label': 'The recording: you on the left, the agent on the right',
  });
  const saveAudio = element('button', { type: 'button', class: 'quiet' }, 'Download WAV');
  const saveData = element('button', { type: 'button', class: 'quiet' }, 'Download JSON');
  const canvas = element('canvas', { class: 'tracks' });
  const readout = element('p', { class: 'readout' });
  const script = element('div', { class: 'script' });
  root.replaceChildren(
    element('header', {}, title, element('p', { class: 'note' }, 'Kept in this tab only, until you begin anew or close it.'),
      audio, element('div', { class: 'keep' }, saveAudio, saveData)),
    canvas, element('div', { class: 'under' }, readout), script,
  );
  return { audio, saveAudio, saveData, canvas, readout, script };
}
