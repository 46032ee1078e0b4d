/** Elements from data. Text goes in as text, never as markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** An HTML element; `attributes` whose value is null or false are left out, and true stands for an empty one. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false || value === undefined) continue;
    made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

/** A duration as people read it; what was not measured is a dash. */
export function shownMs(ms) {
  return ms === null || ms === undefined ? '–' : `${shownNumber(Math.round(ms))} ms`;
}

/** A number, or a dash where it was not measured. */
export function shownNumber(value, digits = 0) {
  return value === null || value === undefined ? '–' : value.toFixed(digits).replace('-', '−');
}

/** Have the browser keep a file. */
export function download(name, blob) {
  const url = URL.createObjectURL(blob);
  const link = element('a', { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Have the browser keep some data as JSON; numbers to three decimals, for no clock here knows more. */
export function downloadJson(name, data) {
  const rounded = (_, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);
  download(name, new Blob([JSON.stringify(data, rounded, 2), '\n'], { type: 'application/json' }));
}

/** A moment as a part of a file's name: 2026-01-31T12-00-00. */
export function stamp(date) {
  return date.toISOString().slice(0, 19).replaceAll(':', '-');
}
