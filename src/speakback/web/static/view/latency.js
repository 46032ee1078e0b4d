/** The latency overlay: where the time of each answer went, how it compares with people, how the page itself does. */

import { keep, kept } from '../kept.js';
import { exported, median } from '../model/ledger.js';
import { downloadJson, element, shownMs, shownNumber, stamp } from './dom.js';
import { gapPlot } from './gap-plot.js';
import { gathered } from './gathered.js';
import { STRIPS_SHOWN, axisMs, facts, key, strip, waterfall } from './waterfall.js';

const KEPT_AS = 'speakback.latency';
const WIDE = '(min-width: 64rem)';
const HUMAN_GAPS = new URL('../human-gaps.json', import.meta.url);

/**
 * @param {HTMLElement} root  #latency
 * @param {import('../call.js').Call} call
 * @param {{toggle?: HTMLElement|null}} places  the button that hides and shows it
 */
export function mount(root, call, { toggle = document.querySelector('#latency-toggle') } = {}) {
  const book = gathered(call);
  const parts = build(root);
  let chosen = null;
  let isDue = false;
  let human = null;
  let drawn = null; // what the turns and the plot show now: figures of the page change more often than those

  const draw = () => {
    isDue = false;
    if (root.hidden) return;
    drawFigures(parts.figures, book.ledger);
    const { turns } = book.ledger;
    if (drawn?.turns === turns && drawn.chosen === chosen && drawn.human === human) return;
    drawn = { turns, chosen, human };
    drawTurns(parts, turns, chosen, (number) => {
      chosen = chosen === number ? null : number;
      draw();
    });
    parts.plot.replaceChildren(gapPlot(book.ledger.gaps, human));
    parts.save.disabled = turns.length === 0;
  };
  const drawSoon = () => {
    if (isDue || root.hidden) return;
    isDue = true;
    requestAnimationFrame(draw);
  };
  const show = (isShown) => {
    root.hidden = !isShown;
    toggle?.setAttribute('aria-expanded', String(isShown));
    if (!isShown) return;
    draw();
    void askForHuman();
  };
  const askForHuman = async () => {
    if (human !== null) return;
    try {
      const answer = await fetch(HUMAN_GAPS);
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      human = await answer.json();
      parts.source.textContent = sourceWords(human);
    } catch (problem) {
      parts.source.textContent = `People’s curve could not be loaded (${problem.message}).`;
    }
    drawSoon();
  };

  book.addEventListener('ledger', drawSoon);
  book.addEventListener('reset', () => {
    chosen = null;
    drawSoon();
  });
  book.addEventListener('begun', () => {
    if (root.hidden && kept(KEPT_AS) === null && matchMedia(WIDE).matches) show(true);
  });
  toggle?.addEventListener('click', () => {
    show(root.hidden);
    keep(KEPT_AS, root.hidden ? 'hidden' : 'shown');
  });
  parts.save.addEventListener('click', () => {
    const now = new Date();
    const about = { at: now.toISOString(), sessionId: book.sessionId, human };
    downloadJson(`speakback-latency-${stamp(now)}.json`, exported(book.ledger, about));
  });
  // As it was left. Who never chose sees it from the first conversation on, where there is room beside that.
  show(kept(KEPT_AS) === 'shown');
}

function build(root) {
  const title = root.querySelector('h2') ?? element('h2', {}, 'Latency');
  const save = element('button', { type: 'button', class: 'quiet save', disabled: true }, 'Export JSON');
  const of = element('span', { class: 'of' });
  const turn = element('div', { class: 'chosen' });
  const strips = element('ol', { class: 'strips', 'aria-label': 'Turns, the newest first' });
  const meaning = key();
  const plot = element('div', { class: 'plot' });
  const source = element('span', { class: 'source' }, 'The curve: people.');
  const figures = element('dl', { class: 'page-figures' });
  root.replaceChildren(
    element('header', {}, title, of, save),
    turn,
    element('div', { class: 'turns' }, strips, meaning),
    element('figure', { class: 'gaps-figure' }, element('h3', {}, 'Response gaps'), plot,
      element('figcaption', {}, 'Each dot is a turn of yours: how long until you heard the answer. Below 0 it came before you had '
        + 'finished. ', source)),
    element('h3', {}, 'This page'),
    figures,
  );
  return { save, of, turn, strips, key: meaning, plot, source, figures };
}

const isAnswered = ({ server }) => typeof server?.first_byte_ms === 'number';

/** The turn that was chosen in full, else the newest that the server has measured to its answer; all of them as strips. */
function drawTurns(parts, turns, chosen, choose) {
  const turn = turns.find(({ number }) => number === chosen) ?? turns.findLast(isAnswered) ?? turns.at(-1);
  if (turn === undefined) {
    const words = 'Here the time of every answer is taken apart, from the end of your words to the first sound you hear.';
    parts.turn.replaceChildren(element('p', { class: 'note' }, words));
    parts.of.textContent = '';
    parts.strips.replaceChildren();
    parts.key.hidden = true;
    return;
  }
  const shown = turns.slice(-STRIPS_SHOWN);
  const endMs = axisMs([...shown, turn]);
  parts.of.textContent = `of turn ${turn.number}`;
  parts.turn.replaceChildren(
    element('div', { class: 'headline' },
      headline(turn.ttfaMs, 'TTFA', 'until you heard it'), headline(turn.ttfbMs, 'TTFB', 'until the server sent it')),
    waterfall(turn, endMs),
    element('p', { class: 'note facts' }, facts(turn).join(' · ')),
  );
  parts.key.hidden = false;
  const focused = parts.strips.querySelector(':focus')?.dataset.number;
  parts.strips.replaceChildren(...shown.toReversed().map((each) => {
    const button = strip(each, endMs, each === turn);
    button.dataset.number = each.number;
    button.addEventListener('click', () => choose(each.number));
    return element('li', {}, button);
  }));
  if (focused !== undefined) parts.strips.querySelector(`[data-number="${focused}"]`)?.focus({ preventScroll: true });
}

function headline(ms, name, words) {
  return element('p', {}, element('strong', {}, shownMs(ms)), element('abbr', {}, name), element('span', {}, words));
}

function drawFigures(list, { stats, drafts, gaps }) {
  const rows = [
    ['Median gap', shownMs(median(gaps))],
    ['Round trip', shownMs(stats?.rttMs)],
    ['Server’s loop lag', shownMs(stats?.loopLagMs)],
    ['Underruns', shownNumber(stats?.underruns)],
    ['Audio buffered', `${shownMs(stats?.bufferMs)} of ${shownMs(stats?.targetMs)}`],
    ['Longest main-thread task', shownMs(stats?.worstLongTaskMs)],
    ['Reconnects', shownNumber(stats?.reconnects)],
    ['Drafts promoted', drafts ? `${drafts.promoted} of ${drafts.started}` : '–'],
    ['Drafted in vain', drafts ? `${drafts.wastedTokens} tokens, ${drafts.wastedCharacters} characters` : '–'],
  ];
  list.replaceChildren(...rows.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
}

function sourceWords({ citation }) {
  return `The curve’s shape: people on the telephone, in English. ${citation}`;
}
