/**
 * The microphone, off the main thread: resampled to 24 kHz and cut into frames of 20 ms of PCM16, each with its level.
 *
 * A frame goes out as {atMs, rms, peak, clipped, buffer}: the first 8 bytes of the buffer are left free for the header
 * of a binary message. Frames follow each other without gaps whatever happens to the microphone: where there is none,
 * they are silent, so that the server's media time stays whole.
 */

import { FRAME_MS, FRAME_SAMPLES, HEADER_BYTES, VOICE_HZ } from './format.js';
import { Resampler } from './resample.js';

const QUANTUM = 128;
const CLIPPED_AT = 0.985;
const CLIPPED_RUN = 3;
/** So many samples in a row at the very top are no peak of a sound. */
const GAIN_STEP = 1 / 120;
/** Muted, and unmuted, within 5 ms. */

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = sampleRate === VOICE_HZ ? null : new Resampler(sampleRate, VOICE_HZ, QUANTUM);
    this.resampled = new Float32Array(this.resampler === null ? 0 : this.resampler.mostOutput(QUANTUM));
    this.mono = new Float32Array(QUANTUM);
    this.frames = 0;
    this.startMs = -1;
    this.dueFrame = 0;
    this.gain = 1;
    this.target = 1;
    this.isStopped = false;
    this.#beginFrame();
    this.port.onmessage = ({ data }) => {
      if (data.what === 'mute') {
        this.target = data.isMuted ? 0 : 1;
      } else if (data.what === 'stop') {
        this.isStopped = true;
      }
    };
  }

  process(inputs) {
    if (this.isStopped) {
      return false;
    }
    if (this.startMs < 0) {
      this.startMs = (currentFrame / sampleRate) * 1000;
      this.dueFrame = currentFrame;
    }
    // Browsers leave quanta out while the graph is changed: time goes on all the same.
    for (; this.dueFrame < currentFrame; this.dueFrame += QUANTUM) {
      this.mono.fill(0);
      this.#resample(QUANTUM);
    }
    const count = this.#mix(inputs[0]);
    this.#resample(count);
    this.dueFrame += count;
    return true;
  }

  #resample(count) {
    if (this.resampler === null) {
      this.#take(this.mono, count);
    } else {
      this.#take(this.resampled, this.resampler.push(this.mono, count, this.resampled));
    }
  }

  /** All channels as one; silence where there is no microphone. */
  #mix(channels) {
    const { mono } = this;
    if (channels.length === 0) {
      mono.fill(0);
      return QUANTUM;
    }
    const count = channels[0].length;
    for (let index = 0; index < count; index += 1) {
      let sum = 0;
      for (let channel = 0; channel < channels.length; channel += 1) {
        sum += channels[channel][index];
      }
      mono[index] = sum / channels.length;
    }
    return count;
  }

  #take(samples, count) {
    for (let index = 0; index < count; index += 1) {
      if (this.gain !== this.target) {
        const step = this.target > this.gain ? GAIN_STEP : -GAIN_STEP;
        this.gain = Math.min(Math.max(this.gain + step, 0), 1);
      }
      const sample = samples[index] * this.gain;
      const size = Math.abs(sample);
      this.power += sample * sample;
      this.peak = size > this.peak ? size : this.peak;
      this.run = size >= CLIPPED_AT ? this.run + 1 : 0;
      this.clipped += this.run === CLIPPED_RUN ? 1 : 0;
      this.pcm[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.filled += 1;
      if (this.filled === FRAME_SAMPLES) {
        this.#send();
      }
    }
  }

  #send() {
    const buffer = this.pcm.buffer;
    const message = {
      atMs: this.startMs + this.frames * FRAME_MS,
      rms: Math.sqrt(this.power / FRAME_SAMPLES),
      peak: this.peak,
      clipped: this.clipped,
      buffer,
    };
    this.port.postMessage(message, [buffer]);
    this.frames += 1;
    this.#beginFrame();
  }

  #beginFrame() {
    // One allocation each 20 ms: the buffer goes on to the socket as it is, and is not copied on its way.
    this.pcm = new Int16Array(new ArrayBuffer(HEADER_BYTES + 2 * FRAME_SAMPLES), HEADER_BYTES);
    this.filled = 0;
    this.power = 0;
    this.peak = 0;
    this.run = 0;
    this.clipped = 0;
  }
}

registerProcessor('speakback-capture', Capture);
