/**
 * The loudspeaker, off the main thread: plays what the jitter buffer holds, and says exactly what it played.
 *
 * From the main thread: begin, audio, end, hold, clear, duck, stop. To it: a `block` each 20 ms with agent audio in it (level,
 * samples played and waiting, the PCM16 that was played), `idle` four times a second else, and `audible`, `played`,
 * `cleared` and `underrun` when they happen. All times are the context's, in milliseconds.
 */

import { FRAME_SAMPLES, HEADER_BYTES, SAMPLES_PER_MS, VOICE_HZ } from './format.js';
import { AUDIBLE, JitterBuffer } from './jitter.js';
import { Resampler } from './resample.js';

const IDLE_BLOCKS = 12;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.buffer = new JitterBuffer();
    this.resampler = sampleRate === VOICE_HZ ? null : new Resampler(VOICE_HZ, sampleRate);
    this.fill = (target, offset, wanted) => this.#play(target, offset, wanted);
    this.startMs = -1;
    this.dueFrame = 0;
    this.owed = 0;
    this.blocks = 0;
    this.idleBlocks = 0;
    this.key = 0;
    this.lastAudibleAt = -1;
    this.isStopped = false;
    this.pcm = new Int16Array(FRAME_SAMPLES);
    this.#beginBlock();
    this.port.onmessage = ({ data }) => this.#told(data);
  }

  #told(data) {
    switch (data.what) {
      case 'begin':
        this.buffer.begin(data.key, data.delayMs * SAMPLES_PER_MS, data.enoughMs * SAMPLES_PER_MS);
        break;
      case 'audio':
        this.buffer.push(data.key, new Int16Array(data.buffer, HEADER_BYTES));
        break;
      case 'end':
        this.buffer.end(data.key);
        break;
      case 'hold':
        this.buffer.hold(data.isHeld);
        break;
      case 'clear':
        this.buffer.clear();
        break;
      case 'duck':
        this.buffer.duck();
        break;
      case 'stop':
        this.isStopped = true;
        break;
    }
    this.#tell();
  }

  process(_inputs, outputs) {
    if (this.isStopped) {
      return false;
    }
    const out = outputs[0][0];
    if (this.startMs < 0) {
      this.startMs = (currentFrame / sampleRate) * 1000;
      this.dueFrame = currentFrame;
    }
    // Browsers leave quanta out while the graph is changed: they were silent, and time went on.
    for (; this.dueFrame < currentFrame; this.dueFrame += out.length) {
      this.#leftOut((out.length * VOICE_HZ) / sampleRate);
    }
    this.dueFrame += out.length;
    if (this.resampler === null) {
      this.#play(out, 0, out.length);
    } else {
      this.resampler.pull(out, out.length, this.fill);
    }
    for (let channel = 1; channel < outputs[0].length; channel += 1) {
      outputs[0][channel].set(out);
    }
    return true;
  }

  /** The next samples at 24 kHz, measured and booked. */
  #play(target, offset, wanted) {
    const { buffer } = this;
    const from = buffer.clock;
    const before = buffer.current;
    buffer.pull(target, offset, wanted);
    const item = buffer.isPlaying ? buffer.current : before;
    if (item !== null) {
      this.key = item.key;
    }
    for (let index = 0; index < wanted; index += 1) {
      this.#book(target[offset + index], from + index);
    }
    this.#tell();
  }

  /** So many samples of the stream's time passed unplayed. */
  #leftOut(samples) {
    this.owed += samples;
    for (; this.owed >= 1; this.owed -= 1) {
      this.#book(0, this.buffer.clock);
      this.buffer.clock += 1;
    }
  }

  #book(sample, at) {
    const size = Math.abs(sample);
    if (size > 0) {
      this.hasSound = true;
      this.power += sample * sample;
      this.peak = size > this.peak ? size : this.peak;
      if (size > AUDIBLE) {
        this.lastAudibleAt = at;
      }
    }
    this.pcm[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
    this.filled += 1;
    if (this.filled === FRAME_SAMPLES) {
      this.#sendBlock();
    }
  }

  #sendBlock() {
    const { buffer } = this;
    const atMs = this.#ms(this.blocks * FRAME_SAMPLES);
    const item = buffer.current;
    if (this.hasSound || buffer.isPlaying) {
      const pcm = this.pcm.buffer;
      this.port.postMessage(
        {
          what: 'block',
          atMs,
          rms: Math.sqrt(this.power / FRAME_SAMPLES),
          peak: this.peak,
          key: this.key,
          played: item !== null && item.key === this.key ? item.played : -1,
          waiting: item !== null && item.key === this.key ? item.to - buffer.read : 0,
          buffered: buffer.buffered,
          pcm,
        },
        [pcm],
      );
      this.pcm = new Int16Array(FRAME_SAMPLES);
      this.idleBlocks = 0;
    } else {
      this.idleBlocks += 1;
      if (this.idleBlocks % IDLE_BLOCKS === 0) {
        this.port.postMessage({ what: 'idle', atMs });
      }
    }
    this.blocks += 1;
    this.#beginBlock();
  }

  #beginBlock() {
    this.filled = 0;
    this.power = 0;
    this.peak = 0;
    this.hasSound = false;
  }

  /** What the buffer has to say. */
  #tell() {
    const { news } = this.buffer;
    for (const one of news) {
      this.port.postMessage({
        what: one.what,
        key: one.key,
        atMs: this.#ms(one.at),
        samples: one.samples,
        items: one.items,
        lastAudibleMs: this.lastAudibleAt < 0 ? null : this.#ms(this.lastAudibleAt),
      });
    }
    news.length = 0;
  }

  #ms(sample) {
    return Math.max(this.startMs, 0) + sample / SAMPLES_PER_MS;
  }
}

registerProcessor('speakback-playback', Playback);
