/** The page: makes the call, hands it to the views, and wires buttons and keys to it. */

import { Call } from './call.js';
import { LiveTalk } from './live-talk.js';
import { counts } from './model/talk.js';
import { clockText } from './view/clock-text.js';
import * as drawer from './view/drawer.js';
import * as latency from './view/latency.js';
import * as notices from './view/notices.js';
import * as presence from './view/presence.js';
import * as replay from './view/replay.js';
import * as theme from './view/theme.js';
import * as timeline from './view/timeline.js';
import * as transcript from './view/transcript.js';
import { wireKeys } from './keys.js';
import { Switches } from './switches.js';

const $ = (id) => document.getElementById(id);
const KEY_PLACE = 'speakback.key';
const UNDER_WAY = new Set(['asking', 'connecting', 'live', 'reconnecting']);

const key = {
  isNeeded: document.querySelector('meta[name="speakback-needs-key"]').content === 'yes',
  get: () => sessionStorage.getItem(KEY_PLACE),
};
const call = new Call({ root: document.baseURI, getKey: key.get });
const live = new LiveTalk(call);
const switches = new Switches([$('mic-switches'), $('page-switches')]);
/** Whether the conversation under way was begun with a microphone. */
let hasMic = true;

const mounted = presence.mount($('stage'), call, live, () => ({ isMuted: call.muted, hasMic }));
transcript.mount($('transcript'), live, {
  announcer: $('announcer'), toLatest: $('to-latest'), isAnnounced: () => switches.isOn('announce'),
});
notices.mount($('notices'), call, { again: () => start(hasMic), insist: () => start(hasMic, { insist: true }), reload: () => location.reload() });
theme.mount($('theme'));
const choices = drawer.mount($('drawer'), call, key);
latency.mount($('latency'), call);
timeline.mount($('timeline'), call);
replay.mount($('replay'), call);

async function start(withMic, more = {}) {
  if (UNDER_WAY.has(call.state)) return;
  hasMic = withMic;
  call.setProcessing(switches.processing());
  try {
    await call.start({ mic: withMic, patch: choices.patch(), ...more });
  } catch (problem) {
    // What kept it from starting was told as a 'problem' event, and stands in the notices; a defect must not hide.
    if (!problem.code) throw problem;
    return;
  }
  if (!withMic) $('say-field').focus();
}

/** @returns {'before'|'call'|'after'} a conversation in which nothing was said leaves nothing to look back on */
function viewOf(state) {
  if (UNDER_WAY.has(state)) return 'call';
  return live.talk.turns.length > 0 ? 'after' : 'before';
}

/** What is seen in which state of the call. */
function showState(state, reason) {
  const before = document.body.dataset.view;
  const view = viewOf(state);
  document.body.dataset.state = state;
  document.body.dataset.view = view;
  $('welcome').hidden = view !== 'before';
  $('talk').hidden = view === 'before';
  $('controls').hidden = view !== 'call';
  $('ended').hidden = view !== 'after';
  $('stage').hidden = view === 'after';
  $('mute').hidden = !hasMic;
  $('say-field').placeholder = hasMic ? 'Type instead' : 'Type a message';
  $('stop').textContent = state === 'live' || state === 'reconnecting' ? 'Hang up' : 'Cancel';
  $('mic-switches').open = view === 'before';
  if (view === 'after') $('summary').textContent = summary(reason);
  if (view !== before) requestAnimationFrame(() => keepFocus(view));
}

/** Whoever works by keyboard is taken to the next thing to do, when what had the focus is gone. */
function keepFocus(view) {
  const focused = document.activeElement;
  const isGone = focused === document.body || focused.closest('[hidden], details:not([open]) .switches') !== null;
  if (isGone) $({ before: 'talk-button', call: hasMic ? 'mute' : 'stop', after: 'new' }[view]).focus();
}

/** @returns {string} one line about the conversation that is over */
function summary(reason) {
  const { userTurns, agentTurns, interruptions } = counts(live.talk);
  const some = (count, name) => `${count} ${name}${count === 1 ? '' : 's'}`;
  const parts = [clockText(call.nowMs()), `${some(userTurns, 'turn')} of yours, ${agentTurns} of the agent’s`];
  if (interruptions) parts.push(some(interruptions, 'interruption'));
  return [reason, parts.join(' · ')].filter(Boolean).join(' ');
}

call.addEventListener('state', ({ detail }) => {
  showState(detail.state, detail.reason);
  showMute();
});
call.addEventListener('problem', ({ detail }) => {
  if (detail.code === 'key-needed') askForKey();
});
live.addEventListener('change', () => {
  const { floor, session } = live.talk;
  $('hush').setAttribute('aria-disabled', String(floor.agent === 'idle'));
  const strategy = session?.speakback?.strategy;
  if (strategy && $('strategy-now').textContent !== strategy) $('strategy-now').textContent = strategy;
});

function askForKey() {
  $('key').hidden = false;
  $('key-field').focus();
}

function toggleMute() {
  call.mute(!call.muted);
  showMute();
}

function showMute() {
  $('mute').setAttribute('aria-pressed', String(call.muted));
  mounted.refresh();
}

$('talk-button').addEventListener('click', () => start(true));
$('type-button').addEventListener('click', () => start(false));
$('new').addEventListener('click', () => start(hasMic));
$('stop').addEventListener('click', () => call.stop());
$('hush').addEventListener('click', () => call.cancelReply());
$('mute').addEventListener('click', toggleMute);
$('say').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = $('say-field');
  const text = field.value.trim();
  if (!text) return;
  field.value = '';
  const isSent = await call.say(text);
  if (!isSent && field.value === '') field.value = text;
});
$('key').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY_PLACE, $('key-field').value.trim());
  $('key-field').value = '';
  $('key').hidden = true;
  start(hasMic);
});
switches.addEventListener('change', () => call.setProcessing(switches.processing()));

const isUnderWay = () => UNDER_WAY.has(call.state);
wireKeys(document, {
  isOn: () => switches.isOn('keys'),
  does: {
    m: () => isUnderWay() && hasMic && toggleMute(),
    ' ': () => isUnderWay() && hasMic && toggleMute(),
    Escape: () => isUnderWay() && call.cancelReply(),
    '/': () => isUnderWay() && $('say-field').focus(),
    n: () => call.state === 'ended' && start(hasMic),
  },
});

if (key.isNeeded && !key.get()) $('key').hidden = false;
showState(call.state);
