/**
 * Both voices of a call as stereo PCM16 at 24 kHz: the user left, the agent right, on the call's one clock.
 *
 * What is written lies in blocks of 5 s; a block that is complete becomes a Blob, which the browser may keep on disk.
 * At most `limitMs` are kept, the newest. Nothing leaves the page.
 */

import { VOICE_HZ } from './format.js';

const BLOCK_SAMPLES = 5 * VOICE_HZ;
const BLOCK_BYTES = BLOCK_SAMPLES * 4;
const HEADER_BYTES = 44;
const NEAR_SAMPLES = 24;
/** Two pieces this close to each other follow each other: clocks are rounded. */
export const USER = 0;
export const AGENT = 1;

export class Recorder {
  constructor(limitMs = 30 * 60_000) {
    this.mostBlocks = Math.ceil((limitMs / 1000) * VOICE_HZ / BLOCK_SAMPLES);
    this.clear();
  }

  clear() {
    /** Index of the block → its samples, or its Blob. */
    this.blocks = new Map();
    this.firstBlock = null;
    this.endSample = 0;
    this.complete = 0;
    this.ends = [-1, -1];
  }

  /** The call's clock at the first sample that is kept. */
  get startMs() {
    return ((this.firstBlock ?? 0) * BLOCK_SAMPLES * 1000) / VOICE_HZ;
  }

  get durationMs() {
    return this.firstBlock === null ? 0 : (this.endSample * 1000) / VOICE_HZ - this.startMs;
  }

  /**
   * Write a piece of one voice.
   * @param {number} channel USER or AGENT
   * @param {number} atMs the call's clock at its first sample
   * @param {Int16Array} pcm16
   */
  write(channel, atMs, pcm16) {
    let at = Math.max(0, Math.round((atMs * VOICE_HZ) / 1000));
    if (this.ends[channel] >= 0 && Math.abs(at - this.ends[channel]) <= NEAR_SAMPLES) {
      at = this.ends[channel];
    }
    let done = 0;
    while (done < pcm16.length) {
      const index = Math.floor((at + done) / BLOCK_SAMPLES);
      const from = at + done - index * BLOCK_SAMPLES;
      const count = Math.min(pcm16.length - done, BLOCK_SAMPLES - from);
      const block = this.#block(index);
      if (block instanceof Int16Array) {
        for (let sample = 0; sample < count; sample += 1) {
          block[2 * (from + sample) + channel] = pcm16[done + sample];
        }
      }
      done += count;
    }
    this.ends[channel] = at + pcm16.length;
    this.endSample = Math.max(this.endSample, at + pcm16.length);
  }

  /** Put away what was complete when this was last called: to be called about once a second. */
  settle() {
    for (const [index, block] of this.blocks) {
      if (index < this.complete && block instanceof Int16Array) {
        this.blocks.set(index, new Blob([block]));
      }
    }
    this.complete = Math.floor(this.endSample / BLOCK_SAMPLES);
  }

  /**
   * All that is kept, as a WAV file. Takes no longer than a few milliseconds at a time.
   * @returns {Promise<Blob>}
   */
  async toWav() {
    const first = this.firstBlock ?? 0;
    const samples = Math.max(this.endSample - first * BLOCK_SAMPLES, 0);
    const parts = [wavHeader(samples * 4)];
    for (let from = 0; from < samples; from += BLOCK_SAMPLES) {
      const block = this.blocks.get(first + from / BLOCK_SAMPLES);
      const bytes = Math.min(samples - from, BLOCK_SAMPLES) * 4;
      if (block === undefined) {
        parts.push(new Uint8Array(bytes));
      } else if (block instanceof Blob) {
        parts.push(block.slice(0, bytes));
      } else {
        parts.push(new Blob([new Uint8Array(block.buffer, 0, bytes)]));
        await pause();
      }
    }
    return new Blob(parts, { type: 'audio/wav' });
  }

  #block(index) {
    const known = this.blocks.get(index);
    if (known !== undefined) {
      return known;
    }
    if (this.firstBlock === null) {
      this.firstBlock = index;
    } else if (index < this.firstBlock) {
      return null;
    }
    const block = new Int16Array(BLOCK_BYTES / 2);
    this.blocks.set(index, block);
    while (index - this.firstBlock >= this.mostBlocks) {
      this.blocks.delete(this.firstBlock);
      this.firstBlock += 1;
    }
    return block;
  }
}

function pause() {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}

/** The 44 bytes before so many bytes of stereo PCM16. */
export function wavHeader(dataBytes) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (at, word) => [...word].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 2, true);
  view.setUint32(24, VOICE_HZ, true);
  view.setUint32(28, VOICE_HZ * 4, true);
  view.setUint16(32, 4, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, dataBytes, true);
  return new Uint8Array(view.buffer);
}
