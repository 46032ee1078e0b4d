/**
 * The conversation in words. What changes many times a second (the agent's words, one by one) changes only classes
 * and single spans; a turn that is over is written once more, as plain text.
 *
 * Screen readers: the log itself is silent (`aria-live="off"`); each turn is announced once, whole, when it is over.
 */

import { LOW_CONFIDENCE, plainText, words } from '../model/talk.js';
import { clockText } from './clock-text.js';
import { element } from './dom.js';

/** So near to the end, in CSS pixels, counts as at the end. */
const AT_END_PX = 40;
/** Announcements that are kept, so that one is not cut off by the next. */
const KEPT_ANNOUNCEMENTS = 3;
const NAMES = { user: 'You', agent: 'Agent' };

/**
 * @param {HTMLElement} root  the element with role=log
 * @param {import('../live-talk.js').LiveTalk} live
 * @param {{announcer: HTMLElement, toLatest: HTMLButtonElement, isAnnounced: () => boolean}} more
 */
export function mount(root, live, { announcer, toLatest, isAnnounced }) {
  /** @type {Map<string, {root: HTMLElement, shown: object|null}>} */
  const rows = new Map();
  const scroll = followEnd(root, toLatest);
  let isDue = false;

  const render = () => {
    isDue = false;
    const { turns, floor } = live.talk;
    dropRows(rows, turns);
    let before = null;
    for (const turn of turns) {
      const row = rowOf(rows, turn);
      if (row.shown !== turn) {
        if (isOver(turn) && !(row.shown && isOver(row.shown)) && isAnnounced()) announce(announcer, turn);
        fill(row.root, turn);
        row.shown = turn;
      }
      row.root.classList.toggle('held', turn.status === 'live' && turn.who === 'agent' && floor.agent === 'paused');
      before = place(root, row.root, before);
    }
    scroll.settle();
  };

  live.addEventListener('change', () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(render);
  });
}

const isOver = (turn) => turn.status !== 'live';

function dropRows(rows, turns) {
  const ids = new Set(turns.map((turn) => turn.id));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.root.remove();
    rows.delete(id);
  }
}

function rowOf(rows, turn) {
  const known = rows.get(turn.id);
  if (known) return known;
  const row = { root: element('div', {}, who(turn), element('p', { class: 'words' })), shown: null };
  rows.set(turn.id, row);
  return row;
}

/** @returns {HTMLElement} `row`, which now follows `before`; it is moved only where it does not already */
function place(log, row, before) {
  const expected = before ? before.nextSibling : log.firstChild;
  if (expected !== row) log.insertBefore(row, expected);
  return row;
}

function who(turn) {
  return element('p', { class: 'who' }, NAMES[turn.who], ' ', element('time', {}, clockText(turn.at)));
}

const isUnsure = (turn) => turn.confidence !== null && turn.confidence < LOW_CONFIDENCE && !turn.typed;

function fill(row, turn) {
  row.className = `turn ${turn.who} ${turn.status}`;
  row.classList.toggle('unsure', isUnsure(turn));
  const line = row.querySelector('.words');
  if (turn.who === 'user') fillUser(line, turn);
  else if (turn.status === 'live') fillLive(line, words(turn));
  else fillOver(line, words(turn));
  fillNote(row, noteOf(turn));
}

function fillUser(line, turn) {
  const isPartial = turn.status === 'live';
  const text = turn.status === 'backchannel' ? 'said something short; the agent went on' : plainText(turn) || (isPartial ? '…' : '');
  line.replaceChildren(isPartial ? element('span', { class: 'partial' }, text) : text);
}

/** A span for each word; a word that is said next changes its class and nothing else. */
function fillLive(line, marked) {
  if (line.firstElementChild === null) line.replaceChildren();
  marked.forEach(({ word, mark }, index) => {
    const span = line.children[index] ?? line.appendChild(element('span', { class: mark }));
    if (span.className !== mark) span.className = mark;
    const text = `${word} `;
    if (span.textContent !== text) span.textContent = text;
  });
  while (line.children.length > marked.length) line.lastElementChild.remove();
}

function fillOver(line, marked) {
  const joined = (wanted) => marked.filter(({ mark }) => mark === wanted).map(({ word }) => word).join(' ');
  const unheard = joined('unheard');
  line.replaceChildren(joined('said'));
  if (unheard) line.append(' ', element('span', { class: 'vh' }, '(not heard:) '), element('s', {}, unheard));
}

function noteOf(turn) {
  if (turn.status === 'interrupted') return 'interrupted';
  if (turn.status === 'unfinished') return 'not finished';
  if (turn.status === 'failed') return turn.who === 'user' ? 'could not be transcribed' : 'broke off: the server could not go on';
  if (isUnsure(turn)) return `not sure it heard this: ${Math.round(100 * turn.confidence)} % confidence`;
  return turn.typed ? 'typed' : '';
}

function fillNote(row, text) {
  const known = row.querySelector('.note');
  if (!text) known?.remove();
  else if (known) known.textContent = text;
  else row.append(element('p', { class: 'note' }, text));
}

function announce(announcer, turn) {
  const text = plainText(turn);
  if (!text) return;
  const end = turn.status === 'interrupted' ? ' (interrupted) ' : ' ';
  announcer.append(element('span', {}, `${NAMES[turn.who]}: ${text}${end}`));
  while (announcer.childElementCount > KEPT_ANNOUNCEMENTS) announcer.firstElementChild.remove();
}

/** Keeps the end in view, until the reader scrolls away from it. */
function followEnd(root, toLatest) {
  let follows = true;
  let settled = { inside: 0, outside: 0 };
  const show = () => { toLatest.hidden = follows; };
  const settle = () => {
    if (!follows) return;
    root.scrollTop = root.scrollHeight;
    settled = { inside: root.scrollHeight, outside: root.clientHeight };
  };
  root.addEventListener('scroll', () => {
    const isReader = root.scrollHeight === settled.inside && root.clientHeight === settled.outside;
    if (follows && !isReader) return settle(); // another size moved it, such as a turned phone
    follows = root.scrollHeight - root.scrollTop - root.clientHeight <= AT_END_PX;
    show();
  }, { passive: true });
  toLatest.addEventListener('click', () => {
    follows = true;
    settle();
    show();
    root.focus();
  });
  new ResizeObserver(settle).observe(root);
  return { settle };
}
