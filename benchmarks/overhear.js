// Runs in the page before its own scripts: keeps what its call tells, and the call itself.
(() => {
  const KINDS = new Set(['state', 'server', 'audible', 'silenced', 'underrun', 'problem', 'stats']);
  const overheard = { told: [], call: null };
  const { dispatchEvent } = EventTarget.prototype;
  EventTarget.prototype.dispatchEvent = function (event) {
    if (event instanceof CustomEvent && KINDS.has(event.type)) {
      overheard.call = this;
      const more = event.type === 'stats' ? this.stats : event.detail;
      overheard.told.push({ kind: event.type, offsetMs: this.mediaOffsetMs, ...more });
    }
    return dispatchEvent.call(this, event);
  };
  window.overheard = overheard;
})();
