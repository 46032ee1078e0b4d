/**
 * The page's connection to the server: token → socket → session, and again when it breaks, where it left off.
 *
 * Tells its owner by `on`: `state('live' | 'reconnecting' | 'ended', more)`, `event(event)`, `audio(buffer)`, `problem(Problem)`,
 * `solved(code)`, `roundTrip(ms)`.
 */

import { HEADER_BYTES } from '../audio/format.js';
import { Problem } from '../problems.js';
import { Wait, waitS } from './backoff.js';
import { Pulse } from './pulse.js';
import { pageToken } from './token.js';
import { Updates } from './updates.js';
import { Uplink } from './uplink.js';
import * as wire from './wire.js';

const SETTLED_WITHIN_MS = 10_000;
const REFUSALS_TO_BELIEVE = 2;
const TRY_FOR_MS = 10 * 60_000;
const HELD_BACK_MS = 2000;
/** What is said while the first connection opens is heard as well. */
const CATCH_UP_FRAMES = 25;
/** With each frame of the microphone: 25 times as fast as it was spoken. */
const FRAMES_A_MESSAGE = 5;
const CROWDED_BYTES = 64 * 1024;
/** So much waits in the browser: the line is stuck, and more is held here, where it can be sent again. */

const CODE_DONE = 1000;
const CODE_POLICY = 1008;
const CODE_TOO_BIG = 1009;
const CODE_FAILED = 1011;
const CODE_LOST = 4000;
/** Said by the page when it gives a connection up, but not the conversation: that is forgotten after 1000. */

/** The socket did not open, or broke before the session was set up. */
class SocketFailed extends Error {
  constructor(code) {
    super(`the socket failed (${code})`);
    this.code = code;
  }
}

export class Link {
  /** @param {{root: string, getKey: () => string|null, patch: object, on: object}} options */
  constructor({ root, getKey, patch, on }) {
    this.root = root;
    this.getKey = getKey;
    this.on = on;
    this.updates = new Updates();
    this.updates.patch = patch;
    this.uplink = new Uplink();
    this.reconnects = 0;
    this.pulse = new Pulse({ send: (event) => this.send(event), roundTrip: on.roundTrip, dead: () => this.#dead() });
    this.isLive = false;
    this.isClosed = false;
    this.socket = null;
    this.resumeToken = null;
    this.sequence = 0;
    this.asked = 0;
    this.wait = new Wait();
    this.settling = null;
    /** Problems of coming back, which are over once it is. */
    this.told = new Set();
    this.wakes = () => this.wait.over();
    globalThis.addEventListener?.('online', this.wakes);
  }

  /** The first connection. Rejects with a Problem. */
  async open() {
    if (typeof globalThis.WebSocket !== 'function') {
      throw new Problem('no-websocket');
    }
    for (let refusals = 1; ; refusals += 1) {
      try {
        await this.#connect();
        return;
      } catch (error) {
        if (this.isClosed) {
          throw new Problem('not-live');
        }
        if (error instanceof Problem) {
          throw error;
        }
        if (refusals >= REFUSALS_TO_BELIEVE) {
          throw new Problem('token-refused');
        }
      }
    }
  }

  /** End the conversation. */
  close() {
    this.isClosed = true;
    this.isLive = false;
    globalThis.removeEventListener?.('online', this.wakes);
    this.wait.over();
    this.#letGo(CODE_DONE);
    this.settling?.reject(new SocketFailed('closed'));
    this.updates.lost();
  }

  /** What is sent into a socket that is closing, before it says so, is lost. */
  get #isOpen() {
    return this.isLive && this.socket.readyState === WebSocket.OPEN;
  }

  /** Send an event; false where there is no connection. */
  send(event) {
    if (!this.#isOpen) {
      return false;
    }
    this.socket.send(JSON.stringify(event));
    return true;
  }

  /** A frame of the microphone: 8 free bytes and 20 ms of PCM16. The buffer is handed over. */
  frame(atMs, buffer) {
    this.uplink.record(atMs, new Int16Array(buffer, HEADER_BYTES));
    if (!this.#isOpen || this.socket.bufferedAmount > CROWDED_BYTES) {
      return;
    }
    if (this.uplink.waiting === 1) {
      this.#sendAudio(buffer);
      this.uplink.sent();
    } else {
      this.#catchUp();
    }
  }

  /** Change the session. Resolves with the session in effect; rejects with {message, param}. */
  update(patch) {
    return this.updates.ask(patch, (event) => this.send(event));
  }

  /** Something may have happened to the connection unseen (a sleep): find out now. */
  probe() {
    if (this.isLive) {
      this.pulse.ping();
    }
    this.wait.over();
  }

  // ---- a connection -----------------------------------------------------------------------------

  async #connect() {
    const resumeToken = this.resumeToken;
    const pass = await pageToken(this.root, this.getKey(), resumeToken !== null);
    if (this.isClosed) {
      throw new SocketFailed('closed');
    }
    let socket;
    try {
      socket = new WebSocket(wire.socketUrl(this.root, pass.socket), wire.subprotocols(pass.token, resumeToken));
    } catch {
      throw new Problem('no-websocket');
    }
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.sequence = 0;
    try {
      await this.#settled(socket, resumeToken !== null);
    } catch (error) {
      this.#letGo(CODE_LOST);
      throw error;
    }
    this.isLive = true;
    this.pulse.start();
    this.on.state('live', {});
    this.#catchUp();
  }

  /** Wait until the session is set up, or the conversation was taken up. */
  #settled(socket, isResuming) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new SocketFailed('timeout')), SETTLED_WITHIN_MS);
      this.settling = {
        isResuming,
        updateId: null,
        resolve: () => {
          clearTimeout(timer);
          this.settling = null;
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          this.settling = null;
          reject(error);
        },
      };
      socket.onmessage = ({ data }) => this.#received(socket, data);
      socket.onclose = ({ code }) => this.#closed(socket, code);
      socket.onerror = null; // a close follows, which says all that browsers tell
    });
  }

  #received(socket, data) {
    if (socket !== this.socket) {
      return;
    }
    this.pulse.heard();
    try {
      if (typeof data === 'string') {
        this.#event(wire.event(data));
      } else {
        wire.unpack(data);
        this.on.audio(data);
      }
    } catch (error) {
      if (!(error instanceof wire.WireError)) {
        throw error;
      }
      this.on.problem(new Problem('protocol', { message: `${error.message}. Reload the page.`, isFatal: false }));
    }
  }

  #event(event) {
    switch (event.type) {
      case 'session.created':
        if (this.settling !== null && !this.settling.isResuming) {
          this.#ask(wire.session(this.updates.patch));
        }
        break;
      case 'session.updated':
        this.#updated(event);
        break;
      case 'speakback.resumed':
        this.uplink.goBack(event.heard_ms);
        this.settling?.resolve();
        break;
      case 'speakback.resume_token':
        this.resumeToken = event.token;
        break;
      case 'speakback.pong':
        this.pulse.answered(event);
        break;
      case 'error':
        this.#refused(event.error ?? {});
        break;
    }
    this.on.event(event);
  }

  #ask(session) {
    this.asked += 1;
    this.settling.updateId = `session_${this.asked}`;
    this.socket.send(JSON.stringify({ type: 'session.update', event_id: this.settling.updateId, session }));
  }

  #updated({ session }) {
    if (this.settling === null) {
      this.updates.answered(session);
    } else if (this.settling.updateId !== null) {
      this.uplink.restart(HELD_BACK_MS);
      this.settling.resolve();
    }
  }

  /** The error may answer something of this module. */
  #refused(error) {
    this.pulse.refused(error);
    this.updates.refused(error);
    if (this.settling?.updateId && error.event_id === this.settling.updateId) {
      this.#sessionRefused(`${error.param ?? 'a choice'}: ${error.message}`);
    }
  }

  /** Choices that were kept from another day may not hold any more. */
  #sessionRefused(said) {
    if (Object.keys(this.updates.patch).length === 0) {
      const message = `The server refused the session (${said}). Reload the page.`;
      this.settling.reject(new Problem('protocol', { message }));
      return;
    }
    this.updates.patch = {};
    const message = `The server did not take your choices (${said}); it uses its own.`;
    this.on.problem(new Problem('protocol', { message, isFatal: false }));
    this.#ask(wire.session({}));
  }

  #closed(socket, code) {
    if (socket !== this.socket) {
      return;
    }
    const wasLive = this.isLive;
    this.isLive = false;
    this.pulse.stop();
    if (this.settling !== null) {
      this.settling.reject(new SocketFailed(code));
    } else if (wasLive && !this.isClosed) {
      this.updates.lost();
      this.#lost(code);
    }
  }

  #lost(code) {
    if (code === CODE_DONE) {
      this.#end('idle', null);
    } else if (code === CODE_POLICY || code === CODE_TOO_BIG) {
      this.#end('protocol', new Problem('protocol'));
    } else {
      if (code === CODE_FAILED) {
        this.told.add('server-failed');
        this.on.problem(new Problem('server-failed'));
      }
      this.#comeBack();
    }
  }

  // ---- and another --------------------------------------------------------------------------------

  /** Connect again until it is done. Never rejects. */
  async #comeBack() {
    const until = performance.now() + TRY_FOR_MS;
    let refusals = 0;
    let retryInS = 0;
    for (let attempt = 0; !this.isClosed; attempt += 1) {
      const seconds = Math.max(waitS(attempt), retryInS);
      this.on.state('reconnecting', { retryInS: seconds });
      await this.wait.for(seconds * 1000);
      if (this.isClosed) {
        return;
      }
      retryInS = 0;
      try {
        await this.#connect();
        this.reconnects += 1;
        this.told.forEach((code) => this.on.solved(code));
        this.told.clear();
        return;
      } catch (error) {
        if (this.isClosed) {
          return;
        }
        if (error instanceof SocketFailed) {
          refusals += 1;
        } else if (!(error instanceof Problem)) {
          throw error;
        } else if (error.isFatal && error.retryInS === undefined) {
          this.#end(error.code, error);
          return;
        } else {
          retryInS = error.retryInS ?? 0;
          this.told.add(error.code);
          this.on.problem(new Problem(error.code, { message: error.message, isFatal: false, retryInS: error.retryInS }));
        }
      }
      if (refusals >= REFUSALS_TO_BELIEVE && this.resumeToken !== null) {
        this.resumeToken = null;
        refusals = 0;
        this.on.problem(new Problem('new-conversation'));
      } else if (refusals > REFUSALS_TO_BELIEVE || performance.now() > until) {
        this.#end('gave-up', new Problem(refusals > REFUSALS_TO_BELIEVE ? 'token-refused' : 'gave-up'));
        return;
      }
    }
  }

  #end(reason, problem) {
    this.close();
    if (problem !== null) {
      this.on.problem(problem);
    }
    this.on.state('ended', { reason });
  }

  /** Send on what was held back. */
  #catchUp() {
    for (let left = CATCH_UP_FRAMES; left > 0 && this.uplink.waiting > 0; left -= FRAMES_A_MESSAGE) {
      this.#sendAudio(this.uplink.take(FRAMES_A_MESSAGE, HEADER_BYTES));
    }
  }

  #sendAudio(buffer) {
    wire.stamp(buffer, this.sequence);
    this.sequence += 1;
    this.socket.send(buffer);
  }

  /** The server has not said a word for long. */
  #dead() {
    this.isLive = false;
    this.#letGo(CODE_LOST);
    this.updates.lost();
    this.#comeBack();
  }

  #letGo(code) {
    this.pulse.stop();
    const { socket } = this;
    this.socket = null;
    if (socket !== null) {
      socket.onmessage = socket.onclose = socket.onerror = null;
      socket.close(code);
    }
  }
}
