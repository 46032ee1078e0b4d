/**
 * Stands in for call.js in the tests of the page's face: no audio, no socket. It keeps what was asked of it in `asked`,
 * and a test plays events into it by `window.fakeCall`.
 */
export class Call extends EventTarget {
  state = 'idle';
  muted = false;
  mediaOffsetMs = 0;
  sampleRate = 24000;
  stats = { underruns: 0, longTasks: 0, worstLongTaskMs: 0, rttMs: null, loopLagMs: null, bufferMs: 0, targetMs: 0, reconnects: 0 };
  recorder = { durationMs: 0, toWav: () => new Blob([new Uint8Array(44)], { type: 'audio/wav' }), clear: () => {} };
  asked = [];
  refusal = null;
  #now = 0;

  constructor(options) {
    super();
    this.options = options;
    window.fakeCall = this;
  }

  nowMs() {
    return this.#now;
  }

  async start(wishes) {
    this.asked.push(['start', wishes]);
    if (this.refusal) {
      this.tell('problem', this.refusal);
      throw this.refusal;
    }
    this.enter('asking');
    this.enter('connecting');
    this.enter('live');
  }

  stop() {
    this.asked.push(['stop']);
    this.enter('ended');
  }

  mute(isMuted) {
    this.asked.push(['mute', isMuted]);
    this.muted = isMuted;
  }

  async say(text) {
    this.asked.push(['say', text]);
    return this.state === 'live';
  }

  cancelReply() {
    this.asked.push(['cancelReply']);
  }

  setProcessing(switches) {
    this.asked.push(['setProcessing', switches]);
  }

  async update(patch) {
    this.asked.push(['update', patch]);
    return {};
  }

  enter(state, more = {}) {
    this.state = state;
    this.tell('state', { state, ...more });
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {{at_ms: number, event: object}[]} recorded */
  play(recorded) {
    for (const { at_ms: atMs, event } of recorded) {
      this.#now = atMs;
      this.tell('server', { event, atMs });
    }
  }
}
