/** The page's own switches, of the microphone, the keys and announcements: kept in this browser, on until the user says otherwise. */

import { keep, kept } from './kept.js';

const KEPT_AT = 'speakback.switches';
const PROCESSING = ['echoCancellation', 'noiseSuppression', 'autoGainControl'];

/** Dispatches 'change' when one of the microphone's was switched. */
export class Switches extends EventTarget {
  /** @type {HTMLInputElement[]} */
  #boxes;

  /** @param {HTMLElement[]} roots  that hold them */
  constructor(roots) {
    super();
    this.#boxes = roots.flatMap((root) => [...root.querySelectorAll('input[type="checkbox"]')]);
    const before = read();
    for (const box of this.#boxes) {
      if (box.name in before) box.checked = before[box.name];
      box.addEventListener('change', () => {
        keep(KEPT_AT, JSON.stringify(Object.fromEntries(this.#boxes.map(({ name, checked }) => [name, checked]))));
        if (PROCESSING.includes(box.name)) this.dispatchEvent(new Event('change'));
      });
    }
  }

  /** @param {string} name @returns {boolean} */
  isOn(name) {
    return this.#boxes.find((box) => box.name === name).checked;
  }

  /** @returns {{echoCancellation: boolean, noiseSuppression: boolean, autoGainControl: boolean}} */
  processing() {
    return Object.fromEntries(PROCESSING.map((name) => [name, this.isOn(name)]));
  }
}

/** What was kept; what cannot be read (another version's) counts as nothing. */
function read() {
  try {
    return Object(JSON.parse(kept(KEPT_AT) ?? '{}'));
  } catch {
    return {};
  }
}
