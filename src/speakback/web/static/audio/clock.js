/** The call's clock between the browser's clocks: smooth, told of sleep, and of clocks that run apart. Pure; milliseconds. */

const WINDOW_MS = 500;
/** The sound's clock moves in steps of a buffer: the earliest of them within half a second to a second counts. */
const JUMP_MS = 100;
const SLEPT_MS = 2000;
const DRIFT_AFTER_MS = 60_000;

/** `AudioContext.currentTime`, read between its steps. */
export class CallClock {
  constructor() {
    this.windowEndMs = -Infinity;
    this.newest = -Infinity;
    this.before = -Infinity;
    this.last = 0;
  }

  /**
   * To be looked at often: each look also tells the clock how both are.
   * @param {number} performanceMs
   * @param {number} soundMs
   * @returns {number} the call's time; never less than before
   */
  now(performanceMs, soundMs) {
    const offset = soundMs - performanceMs;
    if (Math.max(this.newest, this.before) - offset > JUMP_MS) {
      this.newest = this.before = -Infinity; // the sound stood still
    }
    if (performanceMs >= this.windowEndMs) {
      this.before = this.newest;
      this.newest = -Infinity;
      this.windowEndMs = performanceMs + WINDOW_MS;
    }
    this.newest = Math.max(this.newest, offset);
    this.last = Math.max(this.last, performanceMs + Math.max(this.newest, this.before));
    return this.last;
  }
}

/** Notices that the sound stood still while the world went on. */
export class SleepWatch {
  constructor() {
    this.before = null;
  }

  /** How long was slept since the last look, 0 if not at all. `wallMs` goes on in a computer that sleeps. */
  look(performanceMs, wallMs, soundMs) {
    const { before } = this;
    this.before = { performanceMs, wallMs, soundMs };
    if (before === null) {
      return 0;
    }
    const passed = Math.max(performanceMs - before.performanceMs, wallMs - before.wallMs);
    const missing = passed - (soundMs - before.soundMs);
    return missing > SLEPT_MS ? missing : 0;
  }
}

/** By how much the sound's clock runs faster than the computer's. */
export class DriftWatch {
  constructor() {
    this.restart();
  }

  restart() {
    this.from = null;
  }

  /** The share by which it is faster (0.001: a millisecond a second); null: not long enough to tell. */
  look(performanceMs, soundMs) {
    if (this.from === null) {
      this.from = { performanceMs, soundMs };
      return null;
    }
    const passed = performanceMs - this.from.performanceMs;
    return passed < DRIFT_AFTER_MS ? null : (soundMs - this.from.soundMs) / passed - 1;
  }
}
