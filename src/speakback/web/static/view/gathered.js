/**
 * What the page gathers of a call, once for all views: the ledger and the tracks of the present conversation, or of
 * the last one until another begins.
 */

import * as ledgers from '../model/ledger.js';
import * as tracks from '../model/tracks.js';

const HEARD = ['heard', 'spoken', 'audible', 'silenced', 'underrun'];
const OVER = ['idle', 'ended'];
const ofCalls = new WeakMap();

/** @returns {Gathered} the one of this call */
export function gathered(call) {
  if (!ofCalls.has(call)) ofCalls.set(call, new Gathered(call));
  return ofCalls.get(call);
}

/**
 * Events: 'reset' when what there was is gone, as somebody asks for a conversation; 'begun' and 'ended' of one that came
 * about; 'ledger' when the ledger changed; 'tracks' when the tracks were told more than levels.
 */
class Gathered extends EventTarget {
  constructor(call) {
    super();
    this.call = call;
    this.state = call.state;
    this.isLive = false;
    this.reset();
    for (const type of HEARD) call.addEventListener(type, ({ detail }) => this.take({ ...detail, type }));
    call.addEventListener('server', ({ detail }) => this.take({ ...detail, type: 'server', mediaOffsetMs: call.mediaOffsetMs }));
    call.addEventListener('stats', () => this.take({ ...call.stats, type: 'stats' }));
    call.addEventListener('state', ({ detail }) => this.turnedTo(detail.state));
  }

  reset() {
    this.ledger = ledgers.initial();
    this.tracks = tracks.initial();
    this.sessionId = null;
  }

  take(input) {
    const { ledger } = this;
    this.ledger = ledgers.next(ledger, input);
    this.tracks = tracks.next(this.tracks, input);
    if (input.type === 'server') this.sessionId = input.event.session?.id ?? this.sessionId;
    if (this.ledger !== ledger) this.dispatchEvent(new Event('ledger'));
    if (input.type === 'server' || input.type === 'silenced') this.dispatchEvent(new Event('tracks'));
  }

  turnedTo(state) {
    const isOver = OVER.includes(state);
    if (!isOver && OVER.includes(this.state)) {
      this.reset();
      this.dispatchEvent(new Event('reset'));
    }
    this.state = state;
    const wasLive = this.isLive;
    this.isLive = !isOver && (wasLive || state === 'live');
    if (this.isLive !== wasLive) this.dispatchEvent(new Event(wasLive ? 'ended' : 'begun'));
  }
}
