/**
 * Resampling of a stream by a rational ratio: polyphase windowed sinc, -90 dB beyond its stop band. Pure.
 *
 * Output sample n is the signal at input time n * fromHz / toHz: nothing is shifted, the filter only needs to see
 * `lookaheadMs` of the future. Nothing is allocated after the constructor.
 */

const ZERO_CROSSINGS = 24;
/** Each side, at the lower of both rates: 1 ms of look-ahead at 24 kHz. */
const KAISER_BETA = 9;
const CUTOFF = 0.46;
/** Share of the lower rate: flat to 9.6 kHz of 24, and what is left of the stop band lies above speech. */
const MOST_PHASES = 1000;

export class Resampler {
  /**
   * @param {number} fromHz
   * @param {number} toHz
   * @param {number} mostInput the most samples that `push` is given, or `pull` needs, at a time
   */
  constructor(fromHz, toHz, mostInput = 4096) {
    const divisor = commonDivisor(fromHz, toHz);
    this.phases = toHz / divisor;
    this.step = fromHz / divisor;
    if (!(this.phases <= MOST_PHASES)) {
      throw new RangeError(`no ratio of small numbers leads from ${fromHz} to ${toHz} Hz`);
    }
    this.taps = 2 * Math.ceil(ZERO_CROSSINGS * Math.max(1, fromHz / toHz));
    this.lookaheadMs = (this.taps / 2 / fromHz) * 1000;
    this.table = kernels(this.phases, this.taps, CUTOFF * Math.min(1, toHz / fromHz));
    this.held = new Float32Array(this.taps + mostInput);
    this.reset();
  }

  /** Begin anew, in silence. */
  reset() {
    this.held.fill(0);
    this.filled = this.taps / 2 - 1;
    this.position = 0;
    this.phase = 0;
  }

  /** How many samples `push` of so many makes at most. */
  mostOutput(count) {
    return Math.ceil((count * this.phases) / this.step) + 1;
  }

  /**
   * Take `count` samples in and write what they make into `out`.
   * @param {Float32Array} input
   * @param {number} count
   * @param {Float32Array} out
   * @returns {number} how many were written
   */
  push(input, count, out) {
    const { held } = this;
    for (let index = 0; index < count; index += 1) {
      held[this.filled + index] = input[index];
    }
    this.filled += count;
    let made = 0;
    while (this.position + this.taps <= this.filled) {
      out[made] = this.#next();
      made += 1;
    }
    this.#forget();
    return made;
  }

  /**
   * Make exactly `count` samples, of input that `fill(target, offset, wanted)` writes.
   * @param {Float32Array} out
   * @param {number} count
   * @param {(target: Float32Array, offset: number, wanted: number) => void} fill
   */
  pull(out, count, fill) {
    const last = this.position + Math.floor((this.phase + (count - 1) * this.step) / this.phases);
    const wanted = last + this.taps - this.filled;
    if (wanted > 0) {
      fill(this.held, this.filled, wanted);
      this.filled += wanted;
    }
    for (let index = 0; index < count; index += 1) {
      out[index] = this.#next();
    }
    this.#forget();
  }

  #next() {
    const { held, table, taps, position } = this;
    const row = this.phase * taps;
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      sum += held[position + tap] * table[row + tap];
    }
    this.phase += this.step;
    const whole = Math.floor(this.phase / this.phases);
    this.phase -= whole * this.phases;
    this.position += whole;
    return sum;
  }

  #forget() {
    const from = Math.min(this.position, this.filled);
    this.held.copyWithin(0, from, this.filled);
    this.filled -= from;
    this.position -= from;
  }
}

function kernels(phases, taps, cutoff) {
  const table = new Float32Array(phases * taps);
  const half = taps / 2;
  for (let phase = 0; phase < phases; phase += 1) {
    const row = phase * taps;
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = phase / phases + half - 1 - tap;
      const weight = sinc(2 * cutoff * distance) * kaiser(distance / half);
      table[row + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < taps; tap += 1) {
      table[row + tap] /= sum;
    }
  }
  return table;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** The modified Bessel function of the first kind, order 0. */
function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function commonDivisor(a, b) {
  return b === 0 ? a : commonDivisor(b, a % b);
}
