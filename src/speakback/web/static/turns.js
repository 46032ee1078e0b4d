/**
 * Whose turn it is, as far as playing goes: agent audio to the loudspeaker, silence when the server says so, and to the server
 * exactly what was heard of it.
 */

const DONE_WITHIN_MS = 2000;
/** A reply that was cancelled is over by then; if not, the server says so itself. */
const ASKED = 'reply_asked_for';
/** Stands for a reply that the server has not named yet; also the id of the event that asks for it. */

export class Turns {
  /**
   * @param {import('./line/link.js').Link} link
   * @param {import('./audio/speaker.js').Speaker} speaker
   * @param {{now: () => number, silenced: (detail: object) => void}} on
   */
  constructor(link, speaker, on) {
    this.link = link;
    this.speaker = speaker;
    this.on = on;
    this.response = null;
    this.responseOf = new Map();
    /** The typed turns so far. */
    this.said = Promise.resolve();
    /** Until the reply under way is over; several may wait for it. */
    this.waiting = null;
    this.settle = () => {};
    this.timer = 0;
    this.isDucked = false;
  }

  /** An event of the server. */
  received(event, atMs) {
    switch (event.type) {
      case 'speakback.audio_begin':
        this.responseOf.set(event.item_id, event.response_id);
        this.speaker.begin(event.item_id, atMs);
        break;
      case 'response.output_audio.done':
        this.speaker.end(event.item_id);
        break;
      case 'input_audio_buffer.speech_started':
        this.#silence(atMs);
        break;
      case 'response.created':
        this.response = event.response?.id ?? null;
        break;
      case 'response.done':
        this.#responseDone(event.response ?? {}, atMs);
        break;
      case 'error':
        if (event.error?.event_id === ASKED) {
          this.#over(ASKED);
        }
        break;
      case 'speakback.floor':
        this.#floor(event);
        break;
      case 'speakback.overlap':
        this.speaker.hold(event.verdict === 'hold');
        break;
    }
  }

  /** A binary message: the header, and audio of the item that began last. */
  audio(buffer) {
    this.speaker.audio(buffer, this.on.now());
  }

  /** The loudspeaker is so far. */
  acknowledge(itemId, playedMs, bufferedMs) {
    this.link.send({ type: 'speakback.playback_ack', item_id: itemId, played_ms: playedMs, buffered_ms: bufferedMs });
  }

  /** Typed turns go one after the other: each stops the answer to the one before. False: the connection went meanwhile. */
  say(text) {
    this.said = this.said.then(() => this.#say(text));
    return this.said;
  }

  async cancelReply() {
    await this.#stopped();
  }

  /** The connection broke: what is under way ends unheard of, or goes on as another item. */
  disconnected() {
    this.response = null;
    for (const itemId of this.responseOf.keys()) {
      this.speaker.end(itemId);
    }
    this.responseOf.clear();
    this.speaker.hold(false);
    this.#settle();
  }

  close() {
    this.#settle();
  }

  // ---- within ----------------------------------------------------------------------------------

  async #say(text) {
    await this.#stopped();
    const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text }] };
    const isSent = this.link.send({ type: 'conversation.item.create', item });
    if (isSent && this.link.send({ type: 'response.create', event_id: ASKED })) {
      this.response = ASKED;
    }
    return isSent;
  }

  #responseDone(response, atMs) {
    const isStillHeard = [...this.responseOf].some(([, id]) => id === response.id);
    if (response.status === 'cancelled' && isStillHeard) {
      this.#silence(atMs);
    }
    for (const [itemId, id] of this.responseOf) {
      if (id === response.id) {
        this.speaker.end(itemId);
        this.responseOf.delete(itemId);
      }
    }
    this.#over(response.id);
  }

  #over(responseId) {
    if (this.response === responseId) {
      this.response = null;
      this.#settle();
    }
  }

  #floor({ agent, ducked }) {
    this.speaker.hold(agent === 'paused');
    if (ducked && !this.isDucked) {
      this.speaker.duck();
    }
    this.isDucked = ducked;
  }

  /** Be silent, and tell the server what was heard. */
  async #silence(askedMs) {
    if (!this.speaker.isBusy) {
      return;
    }
    const { atMs, items } = await this.speaker.clear();
    for (const { itemId, playedMs, droppedMs } of items) {
      this.acknowledge(itemId, playedMs, 0);
      if (droppedMs > 0) {
        this.link.send({ type: 'conversation.item.truncate', item_id: itemId, content_index: 0, audio_end_ms: playedMs });
      }
      this.on.silenced({ atMs, itemId, playedMs, askedMs });
    }
  }

  /** The agent is silent, and no reply is under way. */
  async #stopped() {
    const isUnderWay = this.response !== null;
    if (isUnderWay) {
      this.link.send({ type: 'response.cancel' });
    }
    await this.#silence(this.on.now());
    if (isUnderWay && this.response !== null) {
      await this.#done();
    }
  }

  #done() {
    this.waiting ??= new Promise((resolve) => {
      this.settle = resolve;
      this.timer = setTimeout(() => this.#settle(), DONE_WITHIN_MS);
    });
    return this.waiting;
  }

  #settle() {
    clearTimeout(this.timer);
    this.waiting = null;
    this.settle();
  }
}
