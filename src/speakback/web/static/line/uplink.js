/**
 * What the microphone recorded, on its way to the server. Pure; counts frames of 20 ms.
 *
 * The last 30 s are kept, whether sent or not: after a lost connection the server says how much it has heard, and the
 * rest is sent again. What is older by then is skipped; the server's media time is that of the frames that it was sent.
 */

import { FRAME_MS, FRAME_SAMPLES } from '../audio/format.js';

const KEPT_MS = 30_000;

export class Uplink {
  constructor(keptMs = KEPT_MS) {
    this.kept = keptMs / FRAME_MS;
    this.ring = new Int16Array(this.kept * FRAME_SAMPLES);
    this.recorded = 0;
    this.next = 0;
    /** Frames that the server never gets. */
    this.skipped = 0;
    /** The call's clock at the first frame; null: none was recorded. */
    this.firstMs = null;
  }

  /** The call's clock where the server's media time is 0. */
  get mediaOffsetMs() {
    return (this.firstMs ?? 0) + this.skipped * FRAME_MS;
  }

  get waiting() {
    return this.recorded - this.next;
  }

  /** How much audio of this conversation was handed over. */
  get sentMs() {
    return (this.next - this.skipped) * FRAME_MS;
  }

  /** The microphone has another frame. */
  record(atMs, pcm16) {
    if (this.firstMs === null) {
      this.firstMs = atMs;
    }
    this.ring.set(pcm16, (this.recorded % this.kept) * FRAME_SAMPLES);
    this.recorded += 1;
    this.#skipTo(this.recorded - this.kept);
  }

  /** Another conversation begins: of what waits, the last `heldMs` belong to it, and all before does not. */
  restart(heldMs) {
    this.next = Math.max(this.recorded - heldMs / FRAME_MS, this.recorded - this.kept, 0);
    this.skipped = this.next;
  }

  /** The server has heard so much, give or take what its filters hold back. */
  goBack(heardMs) {
    const heard = Math.round(heardMs / FRAME_MS) + this.skipped;
    this.next = Math.min(Math.max(heard, 0), this.recorded);
    this.#skipTo(this.recorded - this.kept);
  }

  /** The next frame is on its way. */
  sent() {
    this.next += 1;
  }

  /**
   * Copy the next frames, at most `most`, into the samples of a message.
   * @param {number} most
   * @param {number} headerBytes left free at the beginning
   * @returns {ArrayBuffer}
   */
  take(most, headerBytes) {
    const count = Math.min(most, this.waiting);
    const buffer = new ArrayBuffer(headerBytes + 2 * FRAME_SAMPLES * count);
    const pcm16 = new Int16Array(buffer, headerBytes);
    for (let index = 0; index < count; index += 1) {
      const from = ((this.next + index) % this.kept) * FRAME_SAMPLES;
      pcm16.set(this.ring.subarray(from, from + FRAME_SAMPLES), index * FRAME_SAMPLES);
    }
    this.next += count;
    return buffer;
  }

  #skipTo(oldest) {
    if (this.next < oldest) {
      this.skipped += oldest - this.next;
      this.next = oldest;
    }
  }
}
