/**
 * Whether to play half a percent slower or faster: the server paces its audio by its own clock, and that of the sound device
 * may run apart from it. Pure; samples at 24 kHz.
 */

import { SAMPLES_PER_MS } from './format.js';

const WINDOW_SAMPLES = 500 * SAMPLES_PER_MS;
const STEADY_AFTER_SAMPLES = 1000 * SAMPLES_PER_MS;
/** The burst with which an item begins says nothing of clocks. */
const LOW_SAMPLES = 12 * SAMPLES_PER_MS;
const HIGH_SAMPLES = 500 * SAMPLES_PER_MS;
/** More than any lead of the server. */
const GROWN_SAMPLES = 100 * SAMPLES_PER_MS;
const WINDOWS_TO_BELIEVE = 2;
export const BEND = 0.005;
/** 9 cents, which nobody hears in speech. */

export class Pace {
  constructor() {
    this.restart();
  }

  /** An item begins, or goes on after a gap. */
  restart() {
    this.steadyLeft = STEADY_AFTER_SAMPLES;
    this.windowLeft = WINDOW_SAMPLES;
    this.lowest = Infinity;
    /** The least that ever was kept of this item. */
    this.reference = Infinity;
    this.lowWindows = 0;
    this.highWindows = 0;
    this.rate = 1;
  }

  /**
   * The rate to play at, after `count` samples more were played and so many are left.
   * @param {number} count
   * @param {number} buffered
   */
  look(count, buffered) {
    if (this.steadyLeft > 0) {
      this.steadyLeft -= count;
    } else {
      this.#steady(count, buffered);
    }
    return this.rate;
  }

  #steady(count, buffered) {
    this.lowest = Math.min(this.lowest, buffered);
    this.windowLeft -= count;
    if (this.windowLeft <= 0) {
      this.#decide(this.lowest);
      this.lowest = Infinity;
      this.windowLeft = WINDOW_SAMPLES;
    }
  }

  #decide(level) {
    this.reference = Math.min(this.reference, level);
    const isHigh = level > HIGH_SAMPLES && level > this.reference + GROWN_SAMPLES;
    this.lowWindows = level < LOW_SAMPLES ? this.lowWindows + 1 : 0;
    this.highWindows = isHigh ? this.highWindows + 1 : 0;
    if (this.lowWindows >= WINDOWS_TO_BELIEVE) {
      this.rate = 1 - BEND;
    } else if (this.highWindows >= WINDOWS_TO_BELIEVE) {
      this.rate = 1 + BEND;
    } else if (this.rate < 1 ? level > 2 * LOW_SAMPLES : level < HIGH_SAMPLES) {
      this.rate = 1;
    }
  }
}
