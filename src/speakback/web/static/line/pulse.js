/** Is the server still there, and how far away? Pings, and what it means when nothing comes at all. */

const PING_MS = 1000;
const FIRST_PING_MS = 300;
const FIRST_PINGS = 10;
/** Quicker at first: the loudspeaker wants to know how the line jitters before it plays. */
const SILENT_MS = 5000;
const SILENCES_TO_BELIEVE = 2;
/** A server that says nothing for so long, though it was pinged, is gone, whatever the socket says. */

export class Pulse {
  /** @param {{send: (event: object) => void, roundTrip: (ms: number) => void, dead: () => void}} on */
  constructor(on) {
    this.on = on;
    this.rttMs = null;
    this.loopLagMs = null;
    this.pings = 0;
    this.pingId = null;
    this.isAnswered = true;
    this.silences = 0;
    this.pingTimer = 0;
    this.silenceTimer = 0;
  }

  /** A connection is live. */
  start() {
    this.stop();
    this.pings = 0;
    this.isAnswered = true;
    this.silences = 0;
    this.ping();
    this.silenceTimer = setInterval(() => this.#silence(), SILENT_MS);
  }

  stop() {
    clearTimeout(this.pingTimer);
    clearInterval(this.silenceTimer);
  }

  /** Something came from the server. */
  heard() {
    this.silences = 0;
  }

  /** The next goes out a while after the last answer: however the line jitters, they never come too close together. */
  ping() {
    clearTimeout(this.pingTimer);
    if (this.isAnswered) {
      this.pings += 1;
      this.pingId = `ping_${this.pings}`;
      this.on.send({ type: 'speakback.ping', event_id: this.pingId, sent_ms: performance.now() });
    }
  }

  /** A `speakback.pong`. */
  answered({ sent_ms: sentMs, loop_lag_ms: loopLagMs }) {
    this.rttMs = performance.now() - sentMs;
    this.loopLagMs = loopLagMs ?? null;
    this.on.roundTrip(this.rttMs);
    this.#soon();
  }

  /** An error of the server; one that came too soon is forgiven, and a server that knows no pings is left alone. */
  refused({ event_id: id, code }) {
    if (id === this.pingId) {
      this.isAnswered = code === 'too_many_pings';
      this.#soon();
    }
  }

  #soon() {
    clearTimeout(this.pingTimer);
    this.pingTimer = setTimeout(() => this.ping(), this.pings < FIRST_PINGS ? FIRST_PING_MS : PING_MS);
  }

  #silence() {
    this.silences += 1;
    if (this.silences > SILENCES_TO_BELIEVE) {
      this.stop();
      this.on.dead();
    } else if (this.silences === SILENCES_TO_BELIEVE) {
      this.ping();
    }
  }
}
