/** Changes of the session that the server has not answered yet. */

import { Problem } from '../problems.js';
import { merge } from './wire.js';

export class Updates {
  constructor() {
    this.waiting = new Map();
    /** All that was taken of the session so far: a new conversation begins with it. */
    this.patch = {};
    this.number = 0;
  }

  /**
   * Ask for a change.
   * @param {object} patch
   * @param {(event: object) => boolean} send false: there is no connection
   * @returns {Promise<object>} the session in effect; rejects with {message, param}
   */
  ask(patch, send) {
    this.number += 1;
    const id = `update_${this.number}`;
    if (!send({ type: 'session.update', event_id: id, session: { type: 'realtime', ...patch } })) {
      return Promise.reject(notTaken(new Problem('not-live').message, null));
    }
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { patch, resolve, reject });
    });
  }

  /** A `session.updated`: it names no request, and they are answered in their order. */
  answered(session) {
    const [oldest] = this.waiting;
    if (oldest !== undefined) {
      const [id, { patch, resolve }] = oldest;
      this.waiting.delete(id);
      this.patch = merge(this.patch, patch);
      resolve(session);
    }
  }

  /** An error of the server, which may answer one. */
  refused({ event_id: id, message, param }) {
    this.waiting.get(id)?.reject(notTaken(message, param ?? null));
    this.waiting.delete(id);
  }

  /** The connection is gone, and their answers with it. */
  lost() {
    for (const { reject } of this.waiting.values()) {
      reject(notTaken(new Problem('not-live').message, null));
    }
    this.waiting.clear();
  }
}

function notTaken(message, param) {
  return Object.assign(new Error(message), { param });
}
