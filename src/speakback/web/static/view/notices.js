/**
 * What went wrong: what happened, what to do about it, and when to try again. A problem that is over goes away.
 * Fatal problems are announced at once (role=alert), the others when the screen reader has a moment (role=status).
 */

import { element } from './dom.js';

/** The button that helps with a problem that keeps a conversation from starting, where one does. */
const ACTS = {
  'mic-refused': 'again',
  'mic-absent': 'again',
  'mic-busy': 'again',
  'server-full': 'again',
  'server-busy': 'again',
  'not-ready': 'again',
  'gave-up': 'again',
  'another-tab': 'insist',
  'token-refused': 'reload',
  protocol: 'reload',
  'page-failed': 'reload',
};
const ACT_NAMES = { again: 'Try again', insist: 'Talk here', reload: 'Reload' };

/** These tell of something that has passed, and leave by themselves. */
const PASSING = new Set(['mic-changed', 'slept', 'drift']);
const PASSING_FOR_MS = 10_000;
const RECONNECTING = { code: 'reconnecting', message: 'The connection was lost. Keep talking: what you say is kept.', isFatal: false };

/**
 * @param {HTMLElement} root  holds `.alerts` and `.statuses`
 * @param {EventTarget} call
 * @param {{again: () => void, insist: () => void, reload: () => void}} acts  what the buttons do
 */
export function mount(root, call, acts) {
  /** @type {Map<string, {notice: HTMLElement, end: () => void}>} */
  const shown = new Map();
  const remove = (code) => {
    shown.get(code)?.end();
    shown.get(code)?.notice.remove();
    shown.delete(code);
  };

  const show = (problem) => {
    remove(problem.code);
    const notice = noticeOf(problem, acts, () => remove(problem.code));
    const endCount = problem.retryInS ? countDown(notice.querySelector('.when'), problem) : () => {};
    const passing = PASSING.has(problem.code) ? setTimeout(() => remove(problem.code), PASSING_FOR_MS) : 0;
    root.querySelector(problem.isFatal ? '.alerts' : '.statuses').append(notice);
    shown.set(problem.code, {
      notice,
      end: () => {
        endCount();
        clearTimeout(passing);
      },
    });
  };

  call.addEventListener('problem', ({ detail }) => show(detail));
  call.addEventListener('solved', ({ detail }) => remove(detail.code));
  let isOver = true;
  call.addEventListener('state', ({ detail: { state, retryInS } }) => {
    const wasOver = isOver;
    isOver = state === 'idle' || state === 'ended';
    if (wasOver && !isOver) [...shown.keys()].forEach(remove);
    if (state === 'live') ['offline', 'reconnecting'].forEach(remove);
    if (isOver) remove('reconnecting');
    if (state === 'reconnecting') show({ ...RECONNECTING, retryInS });
  });
}

/** The first sentence says what happened, the others what to do. */
function sentences(message) {
  const end = message.indexOf('. ') + 1;
  return end === 0 ? [message, ''] : [message.slice(0, end), message.slice(end + 1)];
}

function noticeOf(problem, acts, dismiss) {
  const [what, todo] = sentences(problem.message);
  const act = ACTS[problem.code];
  const advice = element('p', { class: 'do' }, todo, element('span', { class: 'when' }));
  const help = act && button(ACT_NAMES[act], 'act', () => {
    dismiss();
    acts[act]();
  });
  return element('div', { class: `notice${problem.isFatal ? ' fatal' : ''}`, 'data-code': problem.code },
    element('p', { class: 'what' }, what),
    button('Dismiss', 'quiet dismiss', dismiss),
    ...(todo || problem.retryInS ? [advice] : []),
    ...(help ? [help] : []));
}

/**
 * Counts the seconds down. The text is announced once, with the first number; what ticks is hidden from screen readers.
 * @returns {() => void} ends it
 */
function countDown(place, { retryInS, isFatal }) {
  const until = performance.now() + 1000 * retryInS;
  const words = isFatal ? 'Try again in' : 'Next try in';
  const ticking = element('span', { 'aria-hidden': 'true' });
  place.append(element('span', { class: 'vh' }, ` ${words} ${Math.ceil(retryInS)} seconds.`), ticking);
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    ticking.textContent = left > 0 ? ` ${words} ${left} s.` : '';
    if (left <= 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 250);
  tick();
  return () => clearInterval(timer);
}

function button(text, className, onClick) {
  const made = element('button', { type: 'button', class: className }, text);
  made.addEventListener('click', onClick);
  return made;
}
