/** The loudspeaker of a call: the playback worklet, seen from the main thread, with items by their names. */

import { HEADER_BYTES, SAMPLES_PER_MS } from './format.js';
import { Lateness } from './lateness.js';

const ACKNOWLEDGE_MS = 100;
const CLEARED_WITHIN_MS = 500;
/** A context that stands still clears nothing, and plays nothing either. */

export class Speaker {
  /**
   * @param {AudioContext} context with the worklets loaded
   * @param {{block: Function, idle: Function, audible: Function, underrun: Function,
   *   acknowledge: (itemId: string, playedMs: number, bufferedMs: number) => void}} on
   */
  constructor(context, on) {
    this.on = on;
    this.lateness = new Lateness();
    this.node = new AudioWorkletNode(context, 'speakback-playback', {
      numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1],
    });
    this.node.port.onmessage = ({ data }) => this.#told(data);
    this.node.connect(context.destination);
    this.output = this.node;
    this.items = [];
    this.newest = null;
    this.isHeld = false;
    this.clearing = null;
    this.acknowledgedMs = -Infinity;
    this.bufferMs = 0;
    this.targetMs = 0;
  }

  /** Whether an item is audible or waits to be. */
  get isBusy() {
    return this.items.some((item) => item.state !== 'over');
  }

  /** The next audio belongs to this item. */
  begin(itemId, atMs) {
    const { delayMs, enoughMs } = this.lateness.start(atMs);
    this.targetMs = delayMs;
    this.newest = { key: (this.newest?.key ?? 0) + 1, itemId, arrivedMs: null, acknowledged: 0, state: 'waiting' };
    this.items = [...this.items.filter((item) => item.state !== 'over').slice(-7), this.newest];
    this.#post({ what: 'begin', key: this.newest.key, delayMs, enoughMs });
  }

  /**
   * A message of the newest item; its samples lie behind 8 bytes of header. The buffer is handed over.
   * @param {ArrayBuffer} buffer
   * @param {number} atMs the call's clock when it came
   */
  audio(buffer, atMs) {
    const item = this.newest;
    if (item === null || item.state === 'over') {
      return;
    }
    if (item.arrivedMs === null) {
      item.arrivedMs = atMs;
    }
    this.lateness.arrived((buffer.byteLength - HEADER_BYTES) / 2 / SAMPLES_PER_MS);
    this.#post({ what: 'audio', key: item.key, buffer }, [buffer]);
  }

  /** All audio of the item has come. */
  end(itemId) {
    const item = this.items.find((one) => one.itemId === itemId);
    if (item !== undefined) {
      this.#post({ what: 'end', key: item.key });
    }
  }

  /** The server fell silent on purpose, or goes on. */
  hold(isHeld) {
    if (isHeld === this.isHeld) {
      return;
    }
    this.isHeld = isHeld;
    this.#post({ what: 'hold', isHeld });
  }

  /** What lies here ducks as what comes from now on does. */
  duck() {
    this.#post({ what: 'duck' });
  }

  /**
   * Silent at once.
   * @returns {Promise<{atMs: number|null, items: {itemId: string, playedMs: number, droppedMs: number}[]}>} once it is
   */
  clear() {
    if (this.clearing === null) {
      this.items.forEach((item) => {
        item.state = 'over';
      });
      this.#post({ what: 'clear' });
      this.clearing = settledWithin(CLEARED_WITHIN_MS, { atMs: null, items: [] });
      this.clearing.promise.then(() => {
        this.clearing = null;
      });
    }
    return this.clearing.promise;
  }

  close() {
    this.node.port.onmessage = null;
    this.#post({ what: 'stop' });
    this.node.disconnect();
    this.clearing?.settle({ atMs: null, items: [] });
  }

  #told(data) {
    switch (data.what) {
      case 'block':
        this.#block(data);
        break;
      case 'idle':
        this.bufferMs = 0;
        this.on.idle(data.atMs);
        break;
      case 'audible':
        this.#withItem(data.key, (item) => this.on.audible(item.itemId, data.atMs, item.arrivedMs));
        break;
      case 'underrun': {
        const missingMs = data.samples / SAMPLES_PER_MS;
        this.lateness.underrun(missingMs, data.atMs);
        this.#withItem(data.key, (item) => this.on.underrun(item.itemId, data.atMs, missingMs));
        break;
      }
      case 'played':
        this.#withItem(data.key, (item) => {
          item.state = 'over';
          this.#acknowledge(item, data.samples, 0, data.atMs, true);
        });
        break;
      case 'cleared':
        this.#cleared(data);
        break;
    }
  }

  #block(data) {
    this.bufferMs = data.buffered / SAMPLES_PER_MS;
    const item = this.items.find((one) => one.key === data.key);
    this.on.block(item?.itemId ?? null, data);
    if (item !== undefined && data.played >= 0) {
      this.#acknowledge(item, data.played, data.waiting, data.atMs, false);
    }
  }

  /** Every 100 ms while it is played, and at once where nothing of it is left to play. */
  #acknowledge(item, played, waiting, atMs, isLast) {
    if (item.state === 'waiting') {
      item.state = 'playing';
    }
    const isNew = played !== item.acknowledged;
    const isDue = waiting === 0 || atMs - this.acknowledgedMs >= ACKNOWLEDGE_MS - 1;
    if (isLast || (item.state === 'playing' && isNew && isDue)) {
      this.acknowledgedMs = atMs;
      item.acknowledged = played;
      this.on.acknowledge(item.itemId, Math.round(played / SAMPLES_PER_MS), Math.round(waiting / SAMPLES_PER_MS));
    }
  }

  #cleared({ items, lastAudibleMs }) {
    const named = (items ?? []).map(({ key, played, dropped }) => ({
      itemId: this.items.find((item) => item.key === key)?.itemId ?? null,
      playedMs: Math.round(played / SAMPLES_PER_MS),
      droppedMs: Math.round(dropped / SAMPLES_PER_MS),
    }));
    this.clearing?.settle({ atMs: lastAudibleMs, items: named.filter((item) => item.itemId !== null) });
  }

  #withItem(key, act) {
    const item = this.items.find((one) => one.key === key);
    if (item !== undefined) {
      act(item);
    }
  }

  #post(message, transfer = []) {
    this.node.port.postMessage(message, transfer);
  }
}

/** A promise that is settled from outside, or by itself after a while. */
function settledWithin(ms, otherwise) {
  let resolveIt;
  const promise = new Promise((resolve) => {
    resolveIt = resolve;
  });
  const timer = setTimeout(() => resolveIt(otherwise), ms);
  return {
    promise,
    settle: (value) => {
      clearTimeout(timer);
      resolveIt(value);
    },
  };
}
