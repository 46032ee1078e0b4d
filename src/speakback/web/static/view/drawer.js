/**
 * The drawer of choices. The server makes its form and checks it; here it is opened and closed, kept for the next
 * visit, and what was chosen is handed to the call: live, or for the next conversation.
 */

const KEPT_AT = 'speakback.choices';
const EXPERIMENT = 'elevenlabs-v3';
const ADDRESS = 'web/choices';
/** A call in these states will be live, and is told then what was chosen meanwhile. */
const ON_ITS_WAY = new Set(['asking', 'connecting', 'reconnecting']);

/**
 * @param {HTMLDialogElement} root
 * @param {EventTarget & {state: string, update: (patch: object) => Promise<object>}} call
 * @param {{isNeeded: boolean, get: () => string|null}} key  the API key: without one that needs it, nothing is told
 * @returns {{patch: () => object}}  what a new conversation is to begin with, as a patch of session.update
 */
export function mount(root, call, key) {
  const content = root.querySelector('#drawer-content');
  const chosen = new Chosen(call, content);
  wireDialog(root);
  wireForm(root, content, chosen);
  wireExperiment(content, call);
  wireLoading(content, chosen, call, key);
  return { patch: () => chosen.patch };
}

/** What was chosen, and how far it counts. */
class Chosen {
  /** @type {object} */
  patch = {};
  /** 'nothing': the form is as the server has it. 'kept': as it was left. 'form': as changed now. 'reset': undone. */
  by = 'nothing';
  /** What the server has by itself, and what the call was told of it. */
  #own = {};
  #told = {};
  #isOwed = false;
  #asked = 0;

  constructor(call, content) {
    this.call = call;
    this.content = content;
    call.addEventListener('state', ({ detail }) => {
      if (detail.state === 'connecting') this.#told = Object.keys(this.patch).length ? this.patch : this.#own;
      if (detail.state === 'live' && this.#isOwed) this.#tell(this.patch);
      if (detail.state === 'ended' || detail.state === 'idle') this.#isOwed = false;
    });
  }

  /** @param {object} session  a patch that the server's form stands for */
  take(session) {
    if (this.by === 'nothing') this.#own = this.#told = session;
    if (this.by === 'nothing') return;
    this.patch = this.by === 'reset' ? {} : session;
    if (this.call.state === 'live') this.#tell(session);
    else if (ON_ITS_WAY.has(this.call.state)) this.#isOwed = true;
    else say(this.content, this.by === 'kept' ? '' : 'It counts from the next conversation on.');
  }

  async #tell(session) {
    this.#isOwed = false;
    this.#asked += 1;
    const number = this.#asked;
    try {
      await this.call.update(session);
      if (number === this.#asked) say(this.content, appliedText(this.#told, session));
      this.#told = session;
    } catch (refusal) {
      if (number === this.#asked) showRefusal(this.content, refusal);
    }
  }
}

/** @returns {string} what of the session has changed, and from when on */
function appliedText(before, after) {
  const differs = (pick) => JSON.stringify(pick(before)) !== JSON.stringify(pick(after));
  const parts = [];
  if (differs((patch) => patch.speakback?.strategy)) parts.push('turn-taking from your next turn on');
  if (differs((patch) => patch.audio?.output?.voice)) parts.push('the voice from the next reply on');
  if (differs((patch) => patch.speakback?.providers)) parts.push('providers from your next turn on');
  return parts.length ? `Applied: ${parts.join(', ')}.` : 'Applied.';
}

/** Open and close: modal, so that Escape closes it, the focus stays within, and goes back to where it came from. */
function wireDialog(root) {
  const toggle = document.getElementById('drawer-toggle');
  toggle.addEventListener('click', () => {
    root.showModal();
    toggle.setAttribute('aria-expanded', 'true');
  });
  root.addEventListener('close', () => {
    toggle.setAttribute('aria-expanded', 'false');
    toggle.focus();
  });
  root.querySelector('#drawer-close').addEventListener('click', () => root.close());
  root.addEventListener('click', (event) => {
    if (event.target === root && isOutside(root, event)) root.close();
  });
}

function isOutside(root, { clientX, clientY }) {
  const { left, right, top, bottom } = root.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}

function wireForm(root, content, chosen) {
  content.addEventListener('change', () => {
    chosen.by = 'form';
    say(content, '');
  });
  content.addEventListener('input', ({ target }) => {
    if (target.type !== 'range') return;
    const unit = target.dataset.unit;
    document.getElementById(`${target.id}-value`).textContent = unit ? `${target.value} ${unit}` : target.value;
  });
  content.addEventListener('click', ({ target }) => {
    if (target.id !== 'choices-reset') return;
    keep(null);
    chosen.by = 'reset';
    window.htmx.ajax('GET', ADDRESS, { target: content, swap: 'innerHTML' });
  });
  document.body.addEventListener('speakback:choices', ({ detail }) => {
    if (chosen.by === 'form') keep(Object.fromEntries(new FormData(content.querySelector('form'))));
    chosen.take(detail.session);
  });
  for (const failure of ['htmx:responseError', 'htmx:sendError', 'htmx:timeout']) {
    root.addEventListener(failure, () => say(content, 'The server could not be asked; nothing has changed.'));
  }
}

/** The form is asked for at once, or as soon as a conversation shows that the server lets this page in. */
function wireLoading(content, chosen, call, key) {
  document.body.addEventListener('htmx:configRequest', ({ detail }) => {
    if (key.get()) detail.headers.Authorization = `Bearer ${key.get()}`;
  });
  let isLoading = false;
  const loadOnce = async () => {
    if (isLoading || content.querySelector('form') || (key.isNeeded && !key.get())) return;
    isLoading = true;
    await load(content, chosen).finally(() => { isLoading = false; });
  };
  whenReady(loadOnce);
  call.addEventListener('state', ({ detail }) => {
    if (detail.state === 'live') loadOnce();
  });
}

/** The form as the server has it, and then as it was left the last time. */
async function load(content, chosen) {
  await window.htmx.ajax('GET', ADDRESS, { target: content, swap: 'innerHTML' });
  const fields = kept();
  if (fields === null || !content.querySelector('form')) return;
  chosen.by = 'kept';
  await window.htmx.ajax('POST', ADDRESS, { target: '#choices', swap: 'outerHTML', values: fields });
}

/** htmx is a deferred script behind this module. */
function whenReady(act) {
  if (window.htmx) act();
  else document.addEventListener('DOMContentLoaded', act, { once: true });
}

function say(content, text) {
  const status = content.querySelector('#choices-status');
  if (status) status.textContent = text;
}

/** The session's refusal, beside the field that it is about. */
function showRefusal(content, { message, param }) {
  const field = fieldOf(content, message, param ?? '');
  const place = field?.querySelector('.error') ?? content.querySelector('#choices-error');
  if (!place) return;
  place.textContent = message;
  place.hidden = false;
  const control = field?.querySelector('select, input');
  control?.setAttribute('aria-invalid', 'true');
  control?.setAttribute('aria-describedby', place.id);
  say(content, 'It was refused; the conversation goes on as it was.');
}

function fieldOf(content, message, param) {
  const places = [...content.querySelectorAll('[data-param]')].filter(({ dataset }) => param.startsWith(dataset.param));
  const byPath = [...content.querySelectorAll('[data-path]')].find(({ dataset }) => message.startsWith(dataset.path));
  const byRole = places.find(({ dataset }) => dataset.role && message.startsWith(`${dataset.role}:`));
  return byPath ?? byRole ?? places.find(({ dataset }) => !dataset.role);
}

/** The switch of the experiment says what the service makes of it: only a conversation finds that out. */
function wireExperiment(content, call) {
  let fate = null;
  const show = () => {
    const place = content.querySelector('#expressive-state');
    if (!place || fate === null || !['asked', 'refused'].includes(place.dataset.state)) return;
    place.dataset.state = 'refused';
    place.textContent = fate.isRefused ? place.dataset.refused : place.dataset.failed;
    place.title = fate.reason;
  };
  call.addEventListener('server', ({ detail: { event } }) => {
    if (event.type === 'session.created') fate = null;
    if (event.type !== 'speakback.provider' || event.role !== 'tts') return;
    const isRefused = event.provider === EXPERIMENT && ['circuit_opened', 'skipped'].includes(event.kind);
    const hasFailed = event.instead_of === EXPERIMENT && ['failed_over', 'went_on'].includes(event.kind);
    if (isRefused || (hasFailed && !fate?.isRefused)) fate = { isRefused, reason: event.reason };
    else if (event.provider === EXPERIMENT && event.kind === 'circuit_closed') fate = null;
    show();
  });
  content.addEventListener('htmx:afterSettle', show);
}

/** @returns {Record<string, string>|null} the fields as they were left; null: nothing was chosen, or nothing is kept */
function kept() {
  try {
    const fields = JSON.parse(localStorage.getItem(KEPT_AT));
    const isOurs = fields !== null && typeof fields === 'object' && Object.values(fields).every((value) => typeof value === 'string');
    return isOurs ? fields : null;
  } catch {
    return null; // storage is closed to this page, or holds what somebody else wrote
  }
}

function keep(fields) {
  try {
    if (fields === null) localStorage.removeItem(KEPT_AT);
    else localStorage.setItem(KEPT_AT, JSON.stringify(fields));
  } catch {
    // Storage is closed to this page: the choices count until it is left.
  }
}
