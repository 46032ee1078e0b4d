/**
 * A call: the microphone, the loudspeaker and the connection as one state machine that tells all it does by events.
 *
 * Events (`detail`): state, server, heard, spoken, audible, silenced, underrun, problem, solved, stats. Times are `callMs`: milliseconds
 * of the call's AudioContext, one clock for both directions.
 */

import { HEADER_BYTES, VOICE_HZ } from './audio/format.js';
import { Mic, PROCESSING, openMicrophone } from './audio/mic.js';
import { AGENT, Recorder, USER } from './audio/recorder.js';
import { loadWorklets, newContext, requireWorklets, resumed } from './audio/sound.js';
import { Speaker } from './audio/speaker.js';
import { CallClock, DriftWatch, SleepWatch } from './audio/clock.js';
import { Link } from './line/link.js';
import { LongTasks } from './long-tasks.js';
import { Problem } from './problems.js';
import { TabLock } from './tab-lock.js';
import { Turns } from './turns.js';

const STATS_MS = 1000;
const MOST_DRIFT = 0.003;
const ENDINGS = {
  idle: 'Nobody said anything for a while.',
  'another-tab': 'It went on in another tab.',
};

export class Call extends EventTarget {
  #root;
  #getKey;
  /** What a call has from its beginning (context, lock, stream), and once it is built all of its parts. */
  #held = null;
  #resources = null;
  #attempt = 0;
  #processing = { ...PROCESSING };
  #lastMs = 0;
  #longTasks = new LongTasks();

  /** @param {{root: string, getKey: () => string|null}} options */
  constructor({ root, getKey }) {
    super();
    this.#root = root;
    this.#getKey = getKey;
    this.state = 'idle';
    this.muted = false;
    this.recorder = new Recorder();
    this.underruns = 0;
  }

  // ---- what can be asked -----------------------------------------------------------------------

  nowMs() {
    const sound = this.#resources;
    if (sound !== null) {
      this.#lastMs = sound.clock.now(performance.now(), sound.context.currentTime * 1000);
    }
    return this.#lastMs;
  }

  /** The call's clock where the server's media time is 0. */
  get mediaOffsetMs() {
    return this.#resources?.link?.uplink.mediaOffsetMs ?? this.lastOffsetMs ?? 0;
  }

  get sampleRate() {
    return this.#resources?.context.sampleRate ?? VOICE_HZ;
  }

  get stats() {
    const { link, speaker } = this.#resources ?? {};
    return {
      underruns: this.underruns,
      longTasks: this.#longTasks.count,
      worstLongTaskMs: this.#longTasks.worstMs,
      rttMs: link?.pulse.rttMs ?? null,
      loopLagMs: link?.pulse.loopLagMs ?? null,
      bufferMs: speaker?.bufferMs ?? 0,
      targetMs: speaker?.targetMs ?? 0,
      reconnects: link?.reconnects ?? 0,
    };
  }

  // ---- what can be done ------------------------------------------------------------------------

  /**
   * Begin a conversation; to be called within a click. Resolves once it is live, rejects with a Problem; with
   * another error where that is a defect of the page, which is told as a problem too.
   * @param {{mic: boolean, patch?: object, insist?: boolean}} wishes
   */
  async start({ mic, patch = {}, insist = false }) {
    this.stop();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.recorder.clear();
    this.underruns = 0;
    this.#lastMs = 0;
    this.muted = false;
    this.#longTasks.restart();
    const lock = new TabLock(() => this.#fail(new Problem('moved-tab'), 'another-tab'));
    const held = { context: null, lock, stream: null, mic: null };
    this.#held = held;
    try {
      this.#enter('asking');
      requireWorklets();
      await this.#open(held, { mic, patch, insist }, () => this.#attempt !== attempt);
    } catch (error) {
      const isProblem = error instanceof Problem;
      const problem = isProblem ? error : new Problem('page-failed', { message: `The page failed (${error?.message}). Reload it.` });
      if (this.#attempt === attempt) {
        this.#fail(problem, null);
      } else {
        this.#release(held); // what it was given after it was stopped
      }
      throw error;
    }
  }

  /** End the conversation and let go of everything; the recording stays. */
  stop() {
    this.#attempt += 1;
    if (this.state !== 'idle' && this.state !== 'ended') {
      this.#finish({});
    }
  }

  mute(isMuted) {
    this.muted = isMuted;
    this.#resources?.mic?.mute(isMuted);
  }

  /** A typed turn: stops the agent, if it speaks, and asks for an answer. False: there is no connection; that was told. */
  say(text) {
    return this.#whenLive(({ turns }) => turns.say(text));
  }

  /** Stop what the agent says. */
  cancelReply() {
    return this.#whenLive(({ turns }) => turns.cancelReply());
  }

  /** Change the session; resolves with the one in effect, rejects with {message, param}. */
  update(patch) {
    const { link } = this.#resources ?? {};
    return link === undefined || link === null
      ? Promise.reject(Object.assign(new Error(new Problem('not-live').message), { param: null }))
      : link.update(patch);
  }

  /** Of the browser: now, where the microphone runs, and from the next call on. */
  async setProcessing(processing) {
    this.#processing = { ...this.#processing, ...processing };
    await this.#resources?.mic?.setProcessing(processing);
  }

  // ---- beginning -------------------------------------------------------------------------------

  async #open(held, { mic, patch, insist }, isOver) {
    const check = () => {
      if (isOver()) {
        throw new Problem('not-live');
      }
    };
    if (!(await held.lock.take(insist))) {
      throw new Problem('another-tab');
    }
    check();
    if (mic) {
      held.stream = await openMicrophone(this.#processing);
      check();
    }
    // Behind the microphone: a context that is a browser's first use of sound holds its page up for 100 ms and more.
    held.context = newContext();
    const starting = resumed(held.context);
    await loadWorklets(held.context);
    check();
    held.mic = held.stream === null ? null : await this.#micFor(held);
    check();
    this.#build(held);
    this.#enter('connecting');
    const { link } = this.#resources;
    link.updates.patch = patch;
    const parts = this.#resources;
    starting.then((isRunning) => this.#sounds(parts, isRunning));
    await link.open();
    check();
  }

  /** From a context and a stream to the parts of a call. */
  #build({ context, stream, lock, mic }) {
    const link = new Link({ root: this.#root, getKey: this.#getKey, patch: {}, on: this.#linkEvents() });
    const speaker = new Speaker(context, this.#speakerEvents());
    const turns = new Turns(link, speaker, {
      now: () => this.nowMs(),
      silenced: (detail) => this.#tell('silenced', detail),
    });
    const clock = new CallClock();
    this.#resources = { context, stream, lock, mic, link, speaker, turns, clock, sleep: new SleepWatch(), drift: new DriftWatch(),
      releases: [], statsMs: 0, isDrifting: false, isSoundless: false };
    this.#listen(context, 'statechange', () => this.#soundChanged());
    for (const type of ['pointerdown', 'keydown', 'visibilitychange']) {
      this.#listen(document, type, () => this.#soundChanged());
    }
    this.#listen(window, 'pagehide', () => this.stop());
  }

  /** The microphone at the context's rate; where the browser cannot convert it, the context takes the device's. */
  async #micFor(held) {
    const on = {
      frame: (frame) => this.#frame(frame),
      problem: (problem) => this.#tell('problem', problem.detail),
      solved: (code) => this.#tell('solved', { code }),
    };
    try {
      return new Mic(held.context, held.stream, this.#processing, on);
    } catch (error) {
      if (error?.name !== 'NotSupportedError') {
        throw error;
      }
    }
    await held.context.close();
    held.context = newContext(null);
    await Promise.all([loadWorklets(held.context), resumed(held.context)]);
    return new Mic(held.context, held.stream, this.#processing, on);
  }

  // ---- what comes --------------------------------------------------------------------------------

  #linkEvents() {
    return {
      state: (state, more) => this.#linked(state, more),
      event: (event) => {
        const atMs = this.nowMs();
        this.#resources?.turns.received(event, atMs);
        this.#tell('server', { event, atMs });
      },
      audio: (buffer) => this.#resources?.turns.audio(buffer),
      problem: (problem) => this.#tell('problem', problem.detail),
      solved: (code) => this.#tell('solved', { code }),
      roundTrip: (ms) => this.#resources?.speaker.lateness.roundTrip(ms),
    };
  }

  #speakerEvents() {
    return {
      block: (itemId, { atMs, rms, peak, pcm }) => {
        this.recorder.write(AGENT, atMs, new Int16Array(pcm));
        this.#tell('spoken', { atMs, rms, peak, itemId });
        this.#tick(atMs);
      },
      idle: (atMs) => this.#tick(atMs),
      audible: (itemId, atMs, arrivedMs) => this.#tell('audible', { itemId, atMs, arrivedMs }),
      underrun: (itemId, atMs, missingMs) => {
        this.underruns += 1;
        this.#tell('underrun', { itemId, atMs, missingMs });
      },
      acknowledge: (itemId, playedMs, bufferedMs) => this.#resources?.turns.acknowledge(itemId, playedMs, bufferedMs),
    };
  }

  #frame({ atMs, rms, peak, buffer }) {
    this.recorder.write(USER, atMs, new Int16Array(buffer, HEADER_BYTES));
    this.#resources?.link.frame(atMs, buffer);
    this.nowMs();
    this.#tell('heard', { atMs, rms, peak });
  }

  #linked(state, more) {
    if (state === 'ended') {
      this.#finish({ reason: ENDINGS[more.reason] });
      return;
    }
    if (state === 'reconnecting') {
      this.#resources?.turns.disconnected();
    }
    this.#enter(state, more);
  }

  /** The sound's own clock drives all that is done now and then: hidden tabs have slow timers. */
  #tick(soundMs) {
    const parts = this.#resources;
    this.nowMs();
    if (parts === null || soundMs - parts.statsMs < STATS_MS) {
      return;
    }
    parts.statsMs = soundMs;
    this.recorder.settle();
    this.#watchClocks(parts);
    this.#tell('stats', null);
  }

  #watchClocks(parts) {
    const performanceMs = performance.now();
    const soundMs = parts.context.currentTime * 1000;
    if (parts.sleep.look(performanceMs, Date.now(), soundMs) > 0) {
      parts.drift.restart();
      this.#tell('problem', new Problem('slept').detail);
      parts.link.probe();
    }
    const drift = parts.drift.look(performanceMs, soundMs);
    const isDrifting = drift !== null && Math.abs(drift) > MOST_DRIFT;
    if (isDrifting !== parts.isDrifting) {
      parts.isDrifting = isDrifting;
      this.#tell(isDrifting ? 'problem' : 'solved', isDrifting ? new Problem('drift').detail : { code: 'drift' });
    }
  }

  /** The context may have been put to sleep, or be allowed to sound by now. */
  #soundChanged() {
    const parts = this.#resources;
    if (parts === null) {
      return;
    }
    if (parts.context.state === 'running') {
      this.#sounds(parts, true);
      this.#watchClocks(parts);
    } else if (parts.context.state !== 'closed') {
      parts.context.resume().catch(() => {}); // refused until the user does something, which comes here again
    }
  }

  /** Browsers play nothing before the user did something. */
  #sounds(parts, isRunning) {
    const isSoundless = !isRunning && parts.context.state === 'suspended';
    if (parts === this.#resources && parts.isSoundless !== isSoundless) {
      parts.isSoundless = isSoundless;
      this.#tell(isSoundless ? 'problem' : 'solved', isSoundless ? new Problem('no-sound').detail : { code: 'no-sound' });
    }
  }

  // ---- ending ----------------------------------------------------------------------------------

  #fail(problem, reason) {
    this.#tell('problem', problem.detail);
    this.#attempt += 1;
    this.#finish({ reason: ENDINGS[reason] });
  }

  #finish(more) {
    this.nowMs();
    const parts = { ...this.#held, ...this.#resources };
    this.lastOffsetMs = this.mediaOffsetMs;
    this.#held = this.#resources = null;
    this.#release(parts);
    this.#enter('ended', more);
  }

  #release({ context, stream, lock, mic, link, speaker, turns, releases }) {
    releases?.forEach((release) => release());
    link?.close();
    turns?.close();
    speaker?.close();
    mic?.close();
    stream?.getTracks().forEach((track) => track.stop());
    lock?.release();
    if (context && context.state !== 'closed') {
      context.close().catch(() => {});
    }
  }

  // ---- helpers ---------------------------------------------------------------------------------

  /** @returns {Promise<boolean>} whether it was done; where there is no connection, or it goes meanwhile, that is told */
  async #whenLive(act) {
    const parts = this.#resources;
    const isDone = this.state === 'live' && parts !== null && (await act(parts)) !== false;
    if (!isDone && parts === this.#resources) {
      this.#tell('problem', new Problem('not-live').detail);
    }
    return isDone;
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener);
    this.#resources.releases.push(() => target.removeEventListener(type, listener));
  }

  #enter(state, more = {}) {
    this.state = state;
    this.#tell('state', { state, ...more });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
