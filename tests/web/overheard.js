// Runs in the page before its own scripts: keeps what its call tells the views, in order.
(() => {
  const KINDS = new Set(['state', 'server', 'audible', 'silenced', 'underrun', 'problem', 'solved']);
  const told = [];
  const VOICED = 0.01;
  const FRAME_MS = 20;
  /** Of the microphone: how much of it was loud, and how long it has been quiet since. */
  const user = { voicedMs: 0, quietMs: 0 };
  const { dispatchEvent } = EventTarget.prototype;
  EventTarget.prototype.dispatchEvent = function (event) {
    if (event instanceof CustomEvent && KINDS.has(event.type)) told.push({ kind: event.type, ...event.detail });
    if (event.type === 'heard' && event.detail.rms > VOICED) {
      user.voicedMs += FRAME_MS;
      user.quietMs = 0;
    } else if (event.type === 'heard') {
      user.quietMs += FRAME_MS;
    }
    return dispatchEvent.call(this, event);
  };
  /** The words of the presence, one after the other. */
  const presence = [];
  document.addEventListener('DOMContentLoaded', () => {
    const text = document.getElementById('presence-text');
    new MutationObserver(() => presence.push(text.textContent)).observe(text, { childList: true });
  });
  window.overheard = told;
  window.overheardPresence = presence;
  window.overheardUser = user;
})();
