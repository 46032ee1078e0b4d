/** The conversation so far, kept up to date from the call's events, for the views that show it. */

import { initial, next } from './model/talk.js';

/**
 * Dispatches 'change' when `talk` is another one. A new conversation begins with an empty one; reconnecting does not.
 */
export class LiveTalk extends EventTarget {
  /** @type {import('./model/talk.js').Talk} */
  talk = initial();

  /** @param {EventTarget} call */
  constructor(call) {
    super();
    for (const type of ['server', 'state']) {
      call.addEventListener(type, ({ detail }) => this.#take({ ...detail, type }));
    }
  }

  #take(detail) {
    const before = this.talk;
    const isNew = detail.type === 'state' && before.state === 'ended' && !['ended', 'idle'].includes(detail.state);
    this.talk = next(isNew ? initial() : before, detail);
    if (this.talk !== before) this.dispatchEvent(new Event('change'));
  }
}
