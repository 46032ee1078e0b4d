/** The messages of the page's socket: binary headers, session patches, subprotocols. Pure. */

import { HEADER_BYTES } from '../audio/format.js';

export const VERSION = 1;
export const USER_AUDIO = 1;
export const AGENT_AUDIO = 2;
const SEQUENCE_SPAN = 2 ** 32;

export const EVENTS = ['latency', 'overlap', 'drafts', 'provider', 'floor', 'pauses', 'plan'];

/** What the server sent cannot be read. */
export class WireError extends Error {}

/**
 * Write the header of a message of user audio into the first 8 bytes of `buffer`; PCM16 follows them.
 * @param {ArrayBuffer} buffer
 * @param {number} sequence how many binary messages went before on this connection
 */
export function stamp(buffer, sequence) {
  const view = new DataView(buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, USER_AUDIO);
  view.setUint16(2, 0);
  view.setUint32(4, sequence % SEQUENCE_SPAN, true);
}

/**
 * The sequence number and the samples of a message of agent audio; the samples lie in `buffer`.
 * @param {ArrayBuffer} buffer
 * @returns {{sequence: number, pcm16: Int16Array}}
 */
export function unpack(buffer) {
  if (buffer.byteLength < HEADER_BYTES || (buffer.byteLength - HEADER_BYTES) % 2 !== 0) {
    throw new WireError(`a binary message of ${buffer.byteLength} bytes is no header and PCM16`);
  }
  const view = new DataView(buffer);
  if (view.getUint8(0) !== VERSION || view.getUint8(1) !== AGENT_AUDIO) {
    throw new WireError(`a binary message of version ${view.getUint8(0)} and kind ${view.getUint8(1)} is not known`);
  }
  return { sequence: view.getUint32(4, true), pcm16: new Int16Array(buffer, HEADER_BYTES) };
}

/** The event that a text message holds. */
export function event(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (value === null || typeof value !== 'object' || typeof value.type !== 'string') {
    throw new WireError('a text message of the server is not an event');
  }
  return value;
}

/** What the page asks of each session, with `patch` on top. */
export function session(patch) {
  const ours = { type: 'realtime', speakback: { binary_audio: true, playback_ack: true, resume: true, events: EVENTS } };
  return merge(ours, patch ?? {});
}

/** Objects that the server takes as a whole: nothing of an earlier one counts any more. */
const WHOLE = new Set(['format', 'turn_detection', 'strategy', 'stt', 'llm', 'tts']);

/** `base` changed by what `patch` names; objects are merged, all else is replaced. Neither is changed. */
export function merge(base, patch) {
  const merged = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    const goesOn = !WHOLE.has(key) && isPlain(merged[key]) && isPlain(value);
    merged[key] = goesOn ? merge(merged[key], value) : value;
  }
  return merged;
}

function isPlain(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** The socket's address, from the page's and the path that the server gave. */
export function socketUrl(root, path) {
  const url = new URL(path, root);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  return url.href;
}

/** What the page offers as subprotocols: its tokens are among them, as browsers can set no headers. */
export function subprotocols(token, resumeToken) {
  const resuming = resumeToken === null ? [] : [`speakback-resume.${resumeToken}`];
  return ['realtime', `speakback-page.${token}`, ...resuming];
}
