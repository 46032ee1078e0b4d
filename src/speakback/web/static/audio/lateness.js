/**
 * How long an item must wait before its first sample is played so that it does not run dry. Pure; milliseconds.
 *
 * The server sends each item ahead of real time, so on most lines nothing waits. On one that jitters the first message may come
 * soon and the next one late: so the first waits for as long as messages are late by (round trips show it, also before any
 * audio), less its own length; but no longer than until so much has come that lateness does not matter any more. What was missing
 * when the buffer did run dry counts at once, and is forgotten slowly.
 */

const USUAL_MESSAGE_MS = 40;
const ROUND_TRIPS = 60;
const FEW = 3;
const SPREAD_SHARE = 0.9;
const UNSEEN = 3;
/** Of few round trips the worst is not known yet: three count twice, sixty for themselves. */
const FORGET_HALF_MS = 60_000;
const NOTHING_MS = 1;
export const MOST_DELAY_MS = 300;

export class Lateness {
  constructor() {
    this.roundTrips = [];
    this.messageMs = USUAL_MESSAGE_MS;
    this.missed = 0;
    this.missedAt = 0;
  }

  /** A round trip was measured: what it varies by is what messages are late by, or more. */
  roundTrip(ms) {
    this.roundTrips.push(ms);
    if (this.roundTrips.length > ROUND_TRIPS) {
      this.roundTrips.shift();
    }
  }

  /** A message of so much audio came. */
  arrived(audioMs) {
    this.messageMs = audioMs;
  }

  /** The buffer had run dry for so long when more came. */
  underrun(missingMs, atMs) {
    this.missed = Math.max(this.#missedNow(atMs), missingMs);
    this.missedAt = atMs;
  }

  /** By how much messages are late, as far as round trips tell. */
  get jitterMs() {
    if (this.roundTrips.length < FEW) {
      return 0;
    }
    const sorted = [...this.roundTrips].sort((a, b) => a - b);
    const spread = sorted[Math.ceil(SPREAD_SHARE * sorted.length) - 1] - sorted[0];
    return spread * (1 + UNSEEN / sorted.length);
  }

  /**
   * When the next item begins to be played: so long after its first message came, or as soon as so much of it is there.
   * @returns {{delayMs: number, enoughMs: number}}
   */
  start(atMs) {
    const lateMs = this.jitterMs + this.#missedNow(atMs);
    return {
      delayMs: Math.min(Math.max(lateMs - this.messageMs, this.#missedNow(atMs)), MOST_DELAY_MS),
      enoughMs: lateMs + this.messageMs,
    };
  }

  #missedNow(atMs) {
    const left = this.missed * 0.5 ** (Math.max(atMs - this.missedAt, 0) / FORGET_HALF_MS);
    return left < NOTHING_MS ? 0 : left;
  }
}
