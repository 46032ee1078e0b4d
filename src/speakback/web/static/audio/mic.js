/**
 * The microphone of a call: opened, watched, switched, and taken again when it goes. Its frames come from the
 * capture worklet, which goes on (in silence) while there is none.
 */

import { Problem } from '../problems.js';
import { FRAME_MS } from './format.js';

export const PROCESSING = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const REFUSALS = { NotAllowedError: 'mic-refused', SecurityError: 'mic-refused', NotFoundError: 'mic-absent',
  OverconstrainedError: 'mic-absent', DevicesNotFoundError: 'mic-absent', NotReadableError: 'mic-busy', AbortError: 'mic-busy' };

/** Open the default microphone; throws a Problem. */
export async function openMicrophone(processing) {
  const devices = navigator.mediaDevices;
  if (devices?.getUserMedia === undefined) {
    throw new Problem(globalThis.isSecureContext ? 'mic-absent' : 'mic-insecure');
  }
  try {
    return await devices.getUserMedia({ audio: { channelCount: { ideal: 1 }, ...processing }, video: false });
  } catch (error) {
    const code = REFUSALS[error?.name];
    throw new Problem(code ?? 'mic-busy', code === undefined ? { message: `The microphone cannot be opened (${error?.name}).` } : {});
  }
}

export class Mic {
  /**
   * @param {AudioContext} context with the worklets loaded
   * @param {MediaStream} stream
   * @param {typeof PROCESSING} processing
   * @param {{frame: (frame: object) => void, problem: (problem: Problem) => void, solved: (code: string) => void}} on
   */
  constructor(context, stream, processing, on) {
    this.context = context;
    this.processing = processing;
    this.on = on;
    this.isMuted = false;
    this.isClosed = false;
    this.isGone = false;
    this.taking = null;
    this.watch = new MicWatch();
    this.releases = [];
    this.source = context.createMediaStreamSource(stream); // throws where the rates differ and the browser cannot convert
    this.node = new AudioWorkletNode(context, 'speakback-capture', { numberOfInputs: 1, numberOfOutputs: 0 });
    this.node.port.onmessage = ({ data }) => this.#heard(data);
    this.#use(stream);
    this.#listen(navigator.mediaDevices, 'devicechange', () => this.#devicesChanged());
  }

  /** Silent at once, in the worklet; the browser is told as well, so that its light goes off where it does that. */
  mute(isMuted) {
    this.isMuted = isMuted;
    this.node.port.postMessage({ what: 'mute', isMuted });
    this.stream.getAudioTracks().forEach((track) => {
      track.enabled = !isMuted;
    });
  }

  /** Switch the browser's own processing. Where the running microphone cannot be changed it is opened anew. */
  async setProcessing(processing) {
    this.processing = { ...this.processing, ...processing };
    const [track] = this.stream.getAudioTracks();
    const isAsWished = () => {
      const settings = track.getSettings();
      return Object.entries(this.processing).every(([key, wish]) => settings[key] === undefined || settings[key] === wish);
    };
    try {
      await track.applyConstraints(this.processing);
    } catch {
      // Opened anew below, which may do what this could not.
    }
    if (!isAsWished()) {
      await this.#take(null);
    }
  }

  /** Let go of everything. */
  close() {
    this.isClosed = true;
    this.releases.forEach((release) => release());
    this.node.port.onmessage = null;
    this.node.port.postMessage({ what: 'stop' });
    this.node.disconnect();
    this.#drop();
  }

  #heard(frame) {
    this.on.frame(frame);
    for (const [code, isSo] of this.watch.next(frame, this.isMuted || this.isGone)) {
      if (isSo) {
        this.on.problem(new Problem(code));
      } else {
        this.on.solved(code);
      }
    }
  }

  #use(stream) {
    this.stream = stream;
    const [track] = stream.getAudioTracks();
    this.label = track.label;
    this.defaultLabel = null;
    track.enabled = !this.isMuted;
    this.ended = () => this.#take('mic-changed');
    track.addEventListener('ended', this.ended);
    this.source.connect(this.node);
    this.#nameDefault();
  }

  #drop() {
    this.source.disconnect();
    for (const track of this.stream.getTracks()) {
      track.removeEventListener('ended', this.ended);
      track.stop();
    }
  }

  /** What the default device is called, to notice when it is another. */
  async #nameDefault() {
    this.defaultLabel = await defaultMicrophone();
  }

  async #devicesChanged() {
    if (this.isGone) {
      await this.#take('mic-changed');
      return;
    }
    const label = await defaultMicrophone();
    if (this.defaultLabel !== null && label !== null && label !== this.defaultLabel) {
      await this.#take('mic-changed');
    }
  }

  /** The default microphone again, whichever it is by now; one taking at a time. */
  async #take(code) {
    if (this.isClosed) {
      return;
    }
    if (this.taking === null) {
      this.taking = this.#takeNow(code).finally(() => {
        this.taking = null;
      });
    }
    await this.taking;
  }

  async #takeNow(code) {
    this.#drop();
    let stream;
    try {
      stream = await openMicrophone(this.processing);
    } catch (problem) {
      if (!this.isClosed) {
        this.isGone = true;
        this.on.problem(problem.code === 'mic-absent' ? new Problem('mic-gone') : new Problem(problem.code, { message: problem.message, isFatal: false }));
      }
      return;
    }
    if (this.isClosed) {
      stream.getTracks().forEach((track) => track.stop());
      return;
    }
    const wasGone = this.isGone;
    this.isGone = false;
    this.source = this.context.createMediaStreamSource(stream);
    this.#use(stream);
    if (wasGone) {
      this.on.solved('mic-gone');
    }
    if (code !== null) {
      this.on.problem(new Problem(code, this.label === '' ? {} : { message: `The microphone has changed; the conversation goes on with \u201c${this.label}\u201d.` }));
    }
  }

  #listen(target, type, listener) {
    target.addEventListener(type, listener);
    this.releases.push(() => target.removeEventListener(type, listener));
  }
}

/** Device and label of the default microphone; null where the browser does not tell. */
async function defaultMicrophone() {
  try {
    const inputs = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === 'audioinput');
    const first = inputs.find((device) => device.deviceId === 'default') ?? inputs[0];
    return first === undefined || first.label === '' ? null : `${first.groupId} ${first.label}`;
  } catch {
    return null;
  }
}

const FAINTEST = 10 ** (-70 / 20);
/** A microphone that works has at least the noise of a room. */
const NEVER_HEARD_MS = 4000;
const DEAD_MS = 15_000;
/** Nothing but zeros, after it has worked: some microphones are switched off at the device. */
const WINDOW_FRAMES = 100;
const CLIPPED_FRAMES = 8;
/** Of the last 2 s: more than a knock on the table. */
const CLEAN_MS = 8000;

/** Says when the microphone yields silence or distorts, and when that is over. Pure: frames in, news out. */
export class MicWatch {
  constructor() {
    this.silentMs = 0;
    this.wasHeard = false;
    this.isSilent = false;
    this.recent = new Uint8Array(WINDOW_FRAMES);
    this.at = 0;
    this.clipped = 0;
    this.cleanMs = 0;
    this.isClipping = false;
  }

  /** @returns {[string, boolean][]} codes, and whether they begin to hold or cease to */
  next(frame, isMuted) {
    const news = [];
    if (isMuted) {
      this.silentMs = 0;
      return news;
    }
    this.#silence(frame, news);
    this.#clipping(frame, news);
    return news;
  }

  #silence({ peak }, news) {
    const isHeard = peak > FAINTEST;
    this.silentMs = isHeard || (this.wasHeard && peak > 0) ? 0 : this.silentMs + FRAME_MS;
    this.wasHeard = this.wasHeard || isHeard;
    if (!this.isSilent && this.silentMs >= (this.wasHeard ? DEAD_MS : NEVER_HEARD_MS)) {
      this.isSilent = true;
      news.push(['mic-silent', true]);
    } else if (this.isSilent && isHeard) {
      this.isSilent = false;
      news.push(['mic-silent', false]);
    }
  }

  #clipping({ clipped }, news) {
    const isClipped = clipped > 0 ? 1 : 0;
    this.clipped += isClipped - this.recent[this.at];
    this.recent[this.at] = isClipped;
    this.at = (this.at + 1) % WINDOW_FRAMES;
    this.cleanMs = isClipped ? 0 : this.cleanMs + FRAME_MS;
    if (!this.isClipping && this.clipped >= CLIPPED_FRAMES) {
      this.isClipping = true;
      news.push(['mic-clipping', true]);
    } else if (this.isClipping && this.cleanMs >= CLEAN_MS) {
      this.isClipping = false;
      news.push(['mic-clipping', false]);
    }
  }
}
