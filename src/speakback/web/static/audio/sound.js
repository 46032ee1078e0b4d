/** The AudioContext of a call and its worklets: one clock for what is heard and what is said. */

import { Problem } from '../problems.js';
import { VOICE_HZ } from './format.js';

const RESUMED_WITHIN_MS = 1500;

/** Throws a Problem where the browser has not what it takes. */
export function requireWorklets() {
  if (globalThis.AudioContext === undefined || globalThis.AudioWorkletNode === undefined) {
    throw new Problem('no-worklet');
  }
}

/** A context at the protocol's own rate, or at the device's where the browser cannot have that. */
export function newContext(rateHz = VOICE_HZ) {
  try {
    return new AudioContext({ latencyHint: 'interactive', ...(rateHz === null ? {} : { sampleRate: rateHz }) });
  } catch (error) {
    if (rateHz !== null && error?.name === 'NotSupportedError') {
      return newContext(null);
    }
    throw new Problem('no-worklet', { message: `The browser gives no sound (${error?.name}). Close other programs that play sound, and try again.` });
  }
}

/** Load both worklets. */
export async function loadWorklets(context) {
  if (context.audioWorklet === undefined) {
    throw new Problem('no-worklet');
  }
  const addresses = ['capture-worklet.js', 'playback-worklet.js'].map((name) => new URL(name, import.meta.url));
  try {
    await Promise.all(addresses.map((address) => context.audioWorklet.addModule(address)));
  } catch (error) {
    await fetch(addresses[0]).catch(() => {
      throw new Problem('offline');
    });
    throw new Problem('no-worklet', { message: `The page\u2019s audio worklets could not be loaded (${error?.name}). Reload the page.` });
  }
}

/** Start the context's clock. False: the browser waits for a click. */
export async function resumed(context) {
  if (context.state === 'running') {
    return true;
  }
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, RESUMED_WITHIN_MS);
  });
  await Promise.race([context.resume().catch(() => {}), late]);
  clearTimeout(timer);
  return context.state === 'running';
}
