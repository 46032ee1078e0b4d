/** What is said where the replay stands: one utterance at a time, its present word marked; choosing a word goes there. */

import { utterances } from '../model/track-words.js';
import { element } from './dom.js';

const NAMES = { user: 'You', agent: 'Agent' };

export class Script {
  #place;
  #utterances = [];
  #shown = null;

  /**
   * @param {HTMLElement} place
   * @param {(ms: number) => void} seek
   */
  constructor(place, seek) {
    this.#place = place;
    place.addEventListener('click', ({ target }) => {
      const word = target.closest('[data-from]');
      if (word) seek(Number(word.dataset.from));
    });
  }

  /** Take over what was said in a conversation. */
  take(tracks) {
    this.#utterances = utterances(tracks);
    this.#shown = null;
    this.#place.replaceChildren();
  }

  /** Show what is said at `ms`, or was said last. */
  follow(ms) {
    const utterance = this.#utterances.findLast(({ atMs }) => atMs <= ms) ?? null;
    if (utterance !== this.#shown) this.#show(utterance);
    const words = [...this.#place.querySelectorAll('[data-from]')];
    const present = words.findLast((word) => Number(word.dataset.from) <= ms);
    for (const word of words) word.classList.toggle('now', word === present);
  }

  #show(utterance) {
    this.#shown = utterance;
    if (utterance === null) {
      this.#place.replaceChildren();
      return;
    }
    const words = utterance.words.flatMap(({ fromMs, text }) => {
      const word = text.trimStart(); // the space before it is not marked with it
      return [text.slice(0, text.length - word.length), element('span', { 'data-from': fromMs }, word)];
    });
    this.#place.className = `script ${utterance.who}`;
    this.#place.replaceChildren(element('span', { class: 'who' }, NAMES[utterance.who]), element('p', {}, ...words));
  }
}
