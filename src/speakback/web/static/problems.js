/** What can go wrong in a call: what it is, and what the user can do. */

const TEXTS = {
  'mic-refused': 'The microphone may not be used. Allow it for this page in the browser\u2019s site settings, or type instead.',
  'mic-insecure': 'Browsers give the microphone to pages on https or on this machine only. Open the page at such an address, or type instead.',
  'mic-absent': 'No microphone was found. Plug one in and press the button again, or type instead.',
  'mic-busy': 'The microphone cannot be opened; another program may be using it. Close that, and press the button again.',
  'mic-silent': 'The microphone gives only silence. See whether it is muted at the device or in the system\u2019s sound settings.',
  'mic-clipping': 'The microphone is too loud and distorts. Move away from it, or lower its level in the sound settings.',
  'mic-changed': 'The microphone has changed; the conversation goes on with the new one.',
  'mic-gone': 'The microphone is gone, and there is no other. Plug one in: the conversation goes on with it.',
  'server-full': 'All places are taken at the moment. Try again a little later.',
  'server-busy': 'The server has as much to do as it can. Try again a little later.',
  'not-ready': 'The server is still starting. Try again in a moment.',
  'token-refused': 'The server did not let the page in, though it had given it a token. Reload the page; if that does not help, something on the way (a proxy, an extension) may be blocking WebSockets.',
  'origin-refused': 'The server does not accept connections from pages at this address. Open the page at the address that the server prints, or add this one to its allowed origins.',
  'key-needed': 'The server asks for an API key. Enter one that it accepts.',
  'no-websocket': 'This browser has no WebSockets, or they are blocked, and the conversation needs them. Use another browser, or allow them.',
  'no-worklet': 'This browser cannot process sound in an AudioWorklet. Use a current Firefox, Chrome, Edge or Safari.',
  'page-failed': 'The page failed. Reload it.',
  'no-sound': 'The browser does not let this page play sound yet. Click anywhere on the page.',
  offline: 'The server cannot be reached. See whether it is running and this computer is online.',
  'gave-up': 'The connection did not come back. Begin a new conversation when the server can be reached.',
  slept: 'This computer was asleep; the conversation goes on.',
  drift: 'The clock of this computer\u2019s sound runs at another pace than the computer\u2019s own. Speech is stretched a little to make up for it; another sound device may do better.',
  'another-tab': 'A conversation is going on in another tab of this browser. End it there, or go on here, which ends it there.',
  'moved-tab': 'The conversation was ended because another one was begun in another tab of this browser.',
  'new-conversation': 'The earlier conversation could not be taken up again. This is a new one, and the server does not know what was said before.',
  'server-failed': 'The server failed; it is tried again.',
  protocol: 'The server and this page do not understand each other. Reload the page.',
  'not-live': 'There is no connection at the moment. Try again when the conversation goes on.',
};

const HARMLESS = new Set([
  'mic-silent', 'mic-clipping', 'mic-changed', 'mic-gone', 'offline', 'slept', 'drift', 'no-sound',
  'another-tab', 'new-conversation', 'server-failed', 'not-live',
]);

/** Something that the user should know. `isFatal`: there is no conversation, or it is over. */
export class Problem extends Error {
  /**
   * @param {string} code one of the table above
   * @param {{message?: string, isFatal?: boolean, retryInS?: number}} more
   */
  constructor(code, more = {}) {
    super(more.message ?? TEXTS[code]);
    this.name = 'Problem';
    this.code = code;
    this.isFatal = more.isFatal ?? !HARMLESS.has(code);
    this.retryInS = more.retryInS;
  }

  get detail() {
    const { code, message, isFatal, retryInS } = this;
    return retryInS === undefined ? { code, message, isFatal } : { code, message, isFatal, retryInS };
  }
}
