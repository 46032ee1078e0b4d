/**
 * The conversation as the page shows it: a pure reducer over the call's events. No DOM, no audio, no clock.
 *
 * @typedef {'live'|'done'|'interrupted'|'unfinished'|'failed'|'backchannel'} TurnStatus  `unfinished`: the call ended over it
 *
 * @typedef {object} Turn
 * @property {string} id          the item's id
 * @property {'user'|'agent'} who
 * @property {boolean} typed      typed by the user, not spoken
 * @property {string} partial     the user's words that are certain so far, until the final transcript
 * @property {string} text        user: the final transcript; agent: the words sent so far
 * @property {string} planned     agent: all words handed to the voice so far
 * @property {string} heard       agent: the words that were heard, known when the turn is over
 * @property {TurnStatus} status
 * @property {number|null} confidence  of the transcript, 0 to 1; null where it was not measured
 * @property {number} at          when the turn began, ms of the call
 * @property {string|null} replyTo  agent: the reply's id
 * @property {boolean} committed  the user's turn is an item of the conversation
 *
 * @typedef {object} Talk
 * @property {Turn[]} turns       in the order of the conversation
 * @property {{user: string, agent: string, holder: string, ducked: boolean}} floor
 * @property {object|null} session  the session in effect, as the server told it last
 * @property {string} state       the call's state
 */

/** Below this a transcript is marked as uncertain. Clear read speech lies at 0.8 to 0.95 with the default model. */
export const LOW_CONFIDENCE = 0.6;

const QUIET_FLOOR = Object.freeze({ user: 'silent', agent: 'idle', holder: 'nobody', ducked: false });

/** @returns {Talk} */
export function initial() {
  return { turns: [], floor: QUIET_FLOOR, session: null, state: 'idle' };
}

/**
 * @param {Talk} talk
 * @param {{type: 'server'|'audible'|'silenced'|'state', event?: object, state?: string, atMs?: number}} detail
 * @returns {Talk} the same object where nothing changed
 */
export function next(talk, detail) {
  if (detail.type === 'state') return detail.state === talk.state ? talk : afterState(talk, detail.state);
  if (detail.type !== 'server') return talk;
  const change = SERVER_EVENTS[detail.event.type];
  return change ? change(talk, detail.event, detail.atMs ?? 0) : talk;
}

/**
 * The words of an agent's turn, each `said`, `ahead` (planned, not yet spoken) or `unheard` (cut off).
 * @param {Turn} turn
 * @returns {{word: string, mark: 'said'|'ahead'|'unheard'}[]}
 */
export function words(turn) {
  const isLive = turn.status === 'live';
  const isWhole = turn.status === 'done';
  const spoken = split(isLive ? turn.text : turn.heard || (isWhole ? turn.text : ''));
  const rest = isWhole ? [] : furthest(turn).slice(spoken.length);
  const mark = isLive ? 'ahead' : 'unheard';
  return [...spoken.map((word) => ({ word, mark: 'said' })), ...rest.map((word) => ({ word, mark }))];
}

/** What a turn says in plain words, as it is announced and counted; empty while there is nothing to say. */
export function plainText(turn) {
  if (turn.who === 'user') return turn.text || turn.partial;
  return words(turn).filter(({ mark }) => mark === 'said').map(({ word }) => word).join(' ');
}

/** @returns {{userTurns: number, agentTurns: number, interruptions: number}} */
export function counts(talk) {
  const spoken = talk.turns.filter((turn) => turn.status !== 'backchannel');
  const agent = spoken.filter((turn) => turn.who === 'agent');
  return {
    userTurns: spoken.length - agent.length,
    agentTurns: agent.length,
    interruptions: agent.filter((turn) => turn.status === 'interrupted').length,
  };
}

function split(text) {
  return text.split(/\s+/).filter(Boolean);
}

/** Planned words or sent words, whichever reach further: without the `plan` events only the sent ones are known. */
function furthest(turn) {
  const planned = split(turn.planned);
  const sent = split(turn.text);
  return planned.length >= sent.length ? planned : sent;
}

function newTurn(id, who, at, more = {}) {
  return {
    id, who, typed: false, partial: '', text: '', planned: '', heard: '', status: 'live', confidence: null, at, replyTo: null, committed: false, ...more,
  };
}

const find = (talk, id) => talk.turns.find((turn) => turn.id === id);

function changed(talk, id, change) {
  if (!find(talk, id)) return talk;
  return { ...talk, turns: talk.turns.map((turn) => (turn.id === id ? { ...turn, ...change(turn) } : turn)) };
}

function without(talk, id) {
  const turns = talk.turns.filter((turn) => turn.id !== id);
  return turns.length === talk.turns.length ? talk : { ...talk, turns };
}

/** `turn` behind the item it follows, or at the end where that one is not shown. */
function added(talk, turn, previousId = null) {
  const place = talk.turns.findIndex(({ id }) => id === previousId);
  if (place < 0) return { ...talk, turns: [...talk.turns, turn] };
  return { ...talk, turns: talk.turns.toSpliced(place + 1, 0, turn) };
}

function afterState(talk, state) {
  const over = state === 'ended' ? talk.turns.map(settled).filter(Boolean) : talk.turns;
  return { ...talk, turns: over, state, floor: state === 'live' ? talk.floor : QUIET_FLOOR };
}

/** A turn that nothing more will come for; null where it holds nothing. */
function settled(turn) {
  if (turn.status !== 'live') return turn;
  if (turn.who === 'agent') {
    const isWhole = turn.heard !== '' && split(turn.heard).length >= furthest(turn).length;
    const heard = turn.heard || turn.text;
    return heard || turn.planned ? { ...turn, heard, status: isWhole ? 'done' : 'unfinished' } : null;
  }
  return turn.partial || turn.text ? { ...turn, text: turn.text || turn.partial, status: 'done' } : null;
}

function userSpeaks(talk, { item_id: id }, at) {
  if (find(talk, id)) return changed(talk, id, () => ({ status: 'live' }));
  // A user says one turn at a time: one that is still open here was lost with a connection.
  const turns = talk.turns.map((turn) => (turn.who === 'user' && !turn.committed ? settled(turn) : turn)).filter(Boolean);
  return added({ ...talk, turns }, newTurn(id, 'user', at));
}

function itemAdded(talk, { item, previous_item_id: previousId }, at) {
  if (item.type !== 'message' || item.role === 'system') return talk;
  if (find(talk, item.id)) return changed(talk, item.id, () => ({ committed: true, status: 'live' }));
  if (item.role === 'assistant') return added(talk, newTurn(item.id, 'agent', at, historyText(item)), previousId);
  const typed = item.content.filter((part) => part.type === 'input_text').map((part) => part.text).join(' ');
  const more = typed ? { typed: true, text: typed, status: 'done' } : { committed: true };
  return added(talk, newTurn(item.id, 'user', at, more), previousId);
}

/** An assistant message that a client puts into the history comes whole, and is done. */
function historyText(item) {
  const text = item.content.map((part) => part.text ?? '').join(' ').trim();
  return text ? { text, heard: text, status: 'done' } : {};
}

function itemDone(talk, { item }) {
  if (item.role !== 'assistant') return talk;
  return changed(talk, item.id, (turn) => {
    const heard = item.content.map((part) => part.transcript ?? part.text ?? '').join(' ').trim();
    return { heard, status: item.status === 'incomplete' ? 'interrupted' : 'done', text: turn.text || heard };
  });
}

function agentPlans(talk, { item_id: id, response_id: replyTo, text }, at) {
  const known = find(talk, id) ? talk : added(talk, newTurn(id, 'agent', at, { replyTo }));
  return changed(known, id, (turn) => ({ planned: turn.planned ? `${turn.planned} ${text}` : text }));
}

function agentSays(talk, { item_id: id, response_id: replyTo, delta }) {
  return changed(talk, id, (turn) => ({ text: turn.text + delta, replyTo }));
}

function replyDone(talk, { response }) {
  if (response.status === 'completed') return talk;
  const status = response.status === 'failed' ? 'failed' : 'interrupted';
  const turns = talk.turns.map((turn) =>
    turn.who === 'agent' && turn.replyTo === response.id && turn.status === 'live' ? { ...turn, heard: turn.heard || turn.text, status } : turn);
  return { ...talk, turns };
}

function transcribed(talk, { item_id: id, transcript }) {
  if (transcript.trim() === '') return without(talk, id);
  return changed(talk, id, () => ({ text: transcript, partial: '', status: 'done' }));
}

/** Speech over the agent that is no turn: a backchannel stays as a small note, unless a later verdict says otherwise. */
function overlapJudged(talk, { item_id: id, verdict }, at) {
  const known = find(talk, id);
  if (verdict === 'backchannel') return known ? talk : added(talk, newTurn(id, 'user', at, { status: 'backchannel' }));
  return known?.status === 'backchannel' ? without(talk, id) : talk;
}

/** On another connection what the agent was saying goes on as another item; the words sent by then count as said. */
function resumed(talk) {
  const turns = talk.turns.map((turn) =>
    turn.who === 'agent' && turn.status === 'live' ? { ...turn, heard: turn.text, planned: turn.text, status: 'done' } : turn);
  return { ...talk, turns: turns.filter((turn) => turn.who === 'user' || turn.heard || turn.status === 'live') };
}

const withSession = (talk, { session }) => ({ ...talk, session });

/** Another session than before: the earlier conversation could not be taken up again, and nothing more comes of it. */
function sessionBegun(talk, { session }) {
  const isOther = talk.session !== null && talk.session.id !== session.id;
  return { ...talk, session, turns: isOther ? talk.turns.map(settled).filter(Boolean) : talk.turns };
}

/** What each event of the server changes; events that are not here change nothing that is shown. */
const SERVER_EVENTS = {
  'session.created': sessionBegun,
  'session.updated': withSession,
  'input_audio_buffer.speech_started': userSpeaks,
  'input_audio_buffer.committed': (talk, { item_id: id }) => changed(talk, id, () => ({ committed: true })),
  'conversation.item.added': itemAdded,
  'conversation.item.done': itemDone,
  'conversation.item.deleted': (talk, { item_id: id }) => without(talk, id),
  'conversation.item.input_audio_transcription.delta': (talk, { item_id: id, delta }) =>
    changed(talk, id, (turn) => ({ partial: turn.partial + delta })),
  'conversation.item.input_audio_transcription.completed': transcribed,
  'conversation.item.input_audio_transcription.failed': (talk, { item_id: id }) =>
    changed(talk, id, () => ({ status: 'failed' })),
  'response.output_audio_transcript.delta': agentSays,
  'response.output_text.delta': agentSays,
  'response.output_audio_transcript.done': (talk, { item_id: id, transcript }) =>
    changed(talk, id, () => ({ heard: transcript })),
  'response.done': replyDone,
  'speakback.plan': agentPlans,
  'speakback.floor': (talk, { user, agent, holder, ducked }) => ({ ...talk, floor: { user, agent, holder, ducked } }),
  'speakback.overlap': overlapJudged,
  'speakback.latency': (talk, { item_id: id, asr_confidence: confidence }) => changed(talk, id, () => ({ confidence })),
  'speakback.resumed': resumed,
};
