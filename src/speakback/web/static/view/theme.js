/**
 * Light, dark, or as the system says. Loaded before the first paint (`blocking="render"`), so it touches only <html>
 * at once; the button is wired by `mount`.
 */

import { keep, kept } from '../kept.js';

const KEPT_AT = 'speakback.theme';
const CHOICES = ['automatic', 'light', 'dark'];

let choice = CHOICES.find((one) => one === kept(KEPT_AT)) ?? 'automatic';

/** The attribute sets `color-scheme` in the stylesheet; without it the system decides. */
function apply() {
  if (choice === 'automatic') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  document.dispatchEvent(new Event('speakback:theme'));
}

/**
 * @param {HTMLButtonElement} button  goes through the three choices
 */
export function mount(button) {
  const show = () => {
    const name = `Theme: ${choice}`;
    button.setAttribute('aria-label', name);
    button.title = name;
  };
  button.addEventListener('click', () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    keep(KEPT_AT, choice);
    apply();
    show();
  });
  // Canvases take their colours from the stylesheet, and must be told when those change.
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  show();
}

apply();
