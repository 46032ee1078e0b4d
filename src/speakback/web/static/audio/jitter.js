/**
 * What came in and is not played yet: a ring of samples at 24 kHz, in items (the agent's reply messages). Pure.
 *
 * Time is counted in samples handed out: `clock`. While nothing is slowed, sped up, ducked, cleared or late, every
 * sample comes out as it came in. Nothing is allocated by `push` and `pull`.
 */

import { SAMPLES_PER_MS } from './format.js';
import { BEND, Pace } from './pace.js';

export const FADE_SAMPLES = 5 * SAMPLES_PER_MS;
export const AUDIBLE = 10 ** (-50 / 20);
export const DUCKED_GAIN = 10 ** (-12 / 20);
/** As the server ducks (its gain and its ramp), so that both together make one duck. */
export const DUCK_RAMP_SAMPLES = 40 * SAMPLES_PER_MS;
const CAPACITY = 2 ** 20;
/** 43 s: far more than a server that paces its audio sends ahead. */

export class JitterBuffer {
  constructor(capacity = CAPACITY) {
    this.ring = new Float32Array(capacity);
    this.mask = capacity - 1;
    if ((capacity & this.mask) !== 0) {
      throw new RangeError('the capacity must be a power of two');
    }
    /** Samples handed out since the beginning, silence too. */
    this.clock = 0;
    this.written = 0;
    this.read = 0;
    this.fraction = 0;
    this.rate = 1;
    this.pace = new Pace();
    this.isStraight = true;
    /** Items that have not been played to their end, in order. */
    this.items = [];
    this.isPlaying = false;
    this.isHeld = false;
    this.overflowSamples = 0;
    this.isClearing = false;
    this.clearLeft = 0;
    this.clearTo = 0;
    this.fadeInLeft = 0;
    this.duckFrom = -1;
    this.duckTo = -1;
    /** What happened, `{what, key, at, samples}`, for whoever pulls, who empties it: underrun, audible, played, cleared. */
    this.news = [];
  }

  get buffered() {
    return this.written - this.read;
  }

  /** The item that is being played, or waits to be; null: none. */
  get current() {
    return this.items.length > 0 ? this.items[0] : null;
  }

  // ---- what comes in ---------------------------------------------------------------------------

  /**
   * A new item; its first sample waits for `delaySamples`, or until so many samples of it are there that it is `enough`,
   * unless an item before it still sounds.
   * @param {number} key
   * @param {number} delaySamples
   * @param {number} enoughSamples
   */
  begin(key, delaySamples, enoughSamples = Infinity) {
    const before = this.#last();
    if (before !== null && !before.isEnded) {
      this.end(before.key);
    }
    this.items.push({
      key,
      from: this.written,
      to: this.written,
      played: 0,
      isEnded: false,
      isAudible: false,
      delayLeft: Math.max(0, Math.round(delaySamples)),
      enough: enoughSamples,
      dryAt: -1,
      wasHeld: false,
    });
  }

  /**
   * The next samples of the newest item. What belongs to another (cleared, ended) is dropped.
   * @param {number} key
   * @param {Int16Array} pcm16
   * @returns {number} how many were taken
   */
  push(key, pcm16) {
    const item = this.#last();
    if (item === null || item.key !== key || item.isEnded) {
      return 0;
    }
    const { ring, mask } = this;
    const room = ring.length - this.buffered;
    const count = Math.min(pcm16.length, room);
    this.overflowSamples += pcm16.length - count;
    for (let index = 0; index < count; index += 1) {
      ring[(this.written + index) & mask] = pcm16[index] / 32768;
    }
    this.written += count;
    item.to = this.written;
    return count;
  }

  /** Nothing more of this item comes. */
  end(key) {
    const item = this.items.find((one) => one.key === key);
    if (item !== undefined) {
      item.isEnded = true;
      this.#passEnded();
    }
  }

  /** The server holds the item (it fell silent on purpose), or lets it go on: running dry meanwhile is no underrun. */
  hold(isHeld) {
    this.isHeld = isHeld;
    const item = this.current;
    if (item !== null && isHeld) {
      item.wasHeld = true;
    }
  }

  /** Be silent after a fade of 5 ms, and drop all that came in so far. Tells `cleared` when that is done. */
  clear() {
    this.isClearing = true;
    this.clearTo = this.written;
    for (const item of this.items) {
      item.isEnded = true;
    }
    this.clearLeft = this.isPlaying ? Math.min(FADE_SAMPLES, this.buffered) : 0;
    if (this.clearLeft === 0) {
      this.#dropAll();
    }
  }

  /** The server ducks from the next sample on: so what is here ducks too. */
  duck() {
    if (this.isPlaying && this.buffered > 0 && this.duckFrom < 0) {
      this.duckFrom = this.read;
      this.duckTo = this.written;
    }
  }

  // ---- what goes out ---------------------------------------------------------------------------

  /**
   * The next `count` samples into `out` from `offset` on; silence where there is nothing to play.
   * @param {Float32Array} out
   * @param {number} offset
   * @param {number} count
   */
  pull(out, offset, count) {
    let done = 0;
    while (done < count) {
      const made = this.#run(out, offset + done, count - done);
      done += made;
      this.clock += made;
    }
    this.#weigh(count);
  }

  /** A stretch of one item, or of silence. */
  #run(out, at, wanted) {
    const item = this.current;
    if (item === null) {
      this.#stopPlaying();
      return silence(out, at, wanted);
    }
    const available = item.to - this.read;
    if (available <= 0) {
      this.#runDry(item);
      return silence(out, at, wanted);
    }
    if (!this.isPlaying) {
      const waits = item.isEnded || available >= item.enough ? 0 : item.delayLeft;
      if (waits > 0) {
        const waited = silence(out, at, Math.min(waits, wanted));
        item.delayLeft -= waited;
        return waited;
      }
      this.#start(item);
    }
    const before = this.read;
    const made = this.#copy(out, at, wanted, item);
    this.#shape(out, at, made, before);
    this.#account(item, out, at, made, before);
    if (made < wanted && this.current === item && !item.isEnded && !item.wasHeld && !this.isHeld) {
      fadeEnd(out, at, made);
    }
    return made;
  }

  #start(item) {
    this.isPlaying = true;
    this.fraction = 0;
    if (item.dryAt >= 0) {
      this.fadeInLeft = item.wasHeld ? 0 : FADE_SAMPLES;
      if (!item.wasHeld) {
        this.news.push({ what: 'underrun', key: item.key, at: this.clock, samples: this.clock - item.dryAt });
      }
      item.dryAt = -1;
    }
    item.wasHeld = this.isHeld;
    this.pace.restart();
  }

  #runDry(item) {
    if (this.isPlaying) {
      item.dryAt = this.clock;
      this.#stopPlaying();
    }
    item.wasHeld = item.wasHeld || this.isHeld;
  }

  /** Samples as they are, or bent by half a percent. */
  #copy(out, at, wanted, item) {
    const { ring, mask } = this;
    if (this.rate === 1 && this.fraction === 0) {
      const room = this.clearLeft > 0 ? Math.min(wanted, this.clearLeft) : wanted;
      const count = Math.min(room, item.to - this.read);
      for (let index = 0; index < count; index += 1) {
        out[at + index] = ring[(this.read + index) & mask];
      }
      this.read += count;
      return count;
    }
    let made = 0;
    const most = this.clearLeft > 0 ? Math.min(wanted, this.clearLeft) : wanted;
    while (made < most && this.read < item.to) {
      const here = ring[this.read & mask];
      const next = this.read + 1 < this.written ? ring[(this.read + 1) & mask] : here;
      out[at + made] = here + (next - here) * this.fraction;
      made += 1;
      this.fraction += this.rate;
      const whole = Math.floor(this.fraction);
      this.fraction -= whole;
      this.read = Math.min(this.read + whole, item.to);
      if (this.rate === 1 || (this.isStraight && Math.min(this.fraction, 1 - this.fraction) <= BEND)) {
        this.read += this.fraction > 0.5 ? 1 : 0;
        this.rate = 1;
        this.fraction = 0;
        break;
      }
    }
    return made;
  }

  /** Fades and ducks. */
  #shape(out, at, made, before) {
    if (this.fadeInLeft > 0) {
      for (let index = 0; index < made && this.fadeInLeft > 0; index += 1, this.fadeInLeft -= 1) {
        out[at + index] *= 1 - this.fadeInLeft / (FADE_SAMPLES + 1);
      }
    }
    if (this.duckFrom >= 0) {
      for (let index = 0; index < made; index += 1) {
        out[at + index] *= this.#duckGain(before + index);
      }
      if (this.read >= this.duckTo + DUCK_RAMP_SAMPLES) {
        this.duckFrom = this.duckTo = -1;
      }
    }
    if (this.clearLeft > 0) {
      for (let index = 0; index < made; index += 1) {
        out[at + index] *= (this.clearLeft - 1 - index) / FADE_SAMPLES;
      }
      this.clearLeft -= made;
    }
  }

  /** The one duck that is wanted, less what the server has done of it to this sample. */
  #duckGain(sample) {
    const wanted = ducking(sample - this.duckFrom);
    return sample < this.duckTo ? wanted : wanted / ducking(sample - this.duckTo);
  }

  #account(item, out, at, made, before) {
    item.played += this.read - before;
    if (!item.isAudible) {
      for (let index = 0; index < made; index += 1) {
        if (Math.abs(out[at + index]) > AUDIBLE) {
          item.isAudible = true;
          this.news.push({ what: 'audible', key: item.key, at: this.clock + index, samples: 0 });
          break;
        }
      }
    }
    this.#passEnded();
    if (this.isClearing && (this.clearLeft <= 0 || this.buffered <= 0)) {
      this.#dropAll();
    }
  }

  /** Items that were played to their end are over. */
  #passEnded() {
    while (this.items.length > 0 && this.items[0].isEnded && this.read >= this.items[0].to) {
      const item = this.items.shift();
      this.news.push({ what: 'played', key: item.key, at: this.clock, samples: item.played });
      if (this.items.length === 0) {
        this.#stopPlaying();
      }
    }
  }

  #dropAll() {
    const dropped = [];
    while (this.items.length > 0 && this.items[0].to <= this.clearTo && this.items[0].isEnded) {
      const item = this.items.shift();
      dropped.push({ key: item.key, played: item.played, dropped: item.to - item.from - item.played });
    }
    this.read = this.clearTo;
    this.isClearing = false;
    this.clearLeft = 0;
    this.#stopPlaying();
    this.duckFrom = this.duckTo = -1;
    this.news.push({ what: 'cleared', key: 0, at: this.clock, samples: 0, items: dropped });
  }

  #stopPlaying() {
    this.isPlaying = false;
    this.rate = 1;
    this.fraction = 0;
  }

  #last() {
    return this.items.length > 0 ? this.items[this.items.length - 1] : null;
  }

  /** Clocks may run apart: half a percent slower or faster, and back to samples as they are where one is hit all but exactly. */
  #weigh(count) {
    const item = this.current;
    const rate = this.isPlaying && item !== null && !item.isEnded ? this.pace.look(count, this.buffered) : 1;
    this.isStraight = rate === 1;
    if (!this.isStraight) {
      this.rate = rate;
    }
  }
}

function ducking(sinceSamples) {
  const share = Math.min(Math.max(sinceSamples / DUCK_RAMP_SAMPLES, 0), 1);
  return 1 + (DUCKED_GAIN - 1) * share;
}

function silence(out, at, count) {
  out.fill(0, at, at + count);
  return count;
}

/** The buffer ran dry in the middle of a sound: no click. */
function fadeEnd(out, at, made) {
  for (let index = 0; index < made; index += 1) {
    out[at + index] *= (made - 1 - index) / made;
  }
}
