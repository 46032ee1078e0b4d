/** Single-key shortcuts. They never take a key from a field, from a control that uses it, or from a dialog. */

/** These take typed characters. */
const TYPED_IN = 'input:not([type="checkbox"]):not([type="radio"]):not([type="range"]), textarea, select, [contenteditable]';
/** These are pressed with the space bar. */
const PRESSED = 'button, a[href], summary, input, audio, [role="button"], [role="slider"]';

/**
 * @param {Document} document
 * @param {{isOn: () => boolean, does: Record<string, () => unknown>}} keys  by `KeyboardEvent.key`, letters in lower case
 */
export function wireKeys(document, { isOn, does }) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!Object.hasOwn(does, key) || isTaken(key, event.target)) return;
    if (key !== 'Escape' && !isOn()) return;
    if (key !== 'Escape') event.preventDefault();
    does[key]();
  });
}

function isTaken(key, target) {
  if (target.closest('dialog[open]')) return true;
  if (key === 'Escape') return false;
  return target.matches(TYPED_IN) || (key === ' ' && target.matches(PRESSED));
}
