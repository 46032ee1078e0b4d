/**
 * Who holds the floor, as one quiet shape: the user's voice comes to it in waves from outside, the agent's grows in it
 * from inside; it turns slowly while the agent thinks and draws in while the agent is held. It moves only while there
 * is something to show: at rest no frame is drawn. The line of text below says the same in words.
 */

const ANGLES = Array.from({ length: 72 }, (_, index) => (2 * Math.PI * index) / 72);
/** Of the shape at rest, as a share of the canvas: the rest is room for the waves. */
const RADIUS = 0.33;
/** What is softer than this shows as nothing, what is as loud as the other as full (dB below full scale). */
const QUIETEST_DB = -52;
const LOUDEST_DB = -14;
/** A level that nobody reported for so long is over. */
const STALE_MS = 140;
/** How fast values follow what they aim at: the time to come 63 % closer. */
const RISE_MS = 45;
const FALL_MS = 240;
const SETTLE_MS = 320;
const AT_REST = 0.003;
/** Calm movement needs no more; displays that could show more are not asked to. */
const FRAME_EVERY_MS = 30;
/** A tab that slept must not jump. */
const LONGEST_STEP_MS = 100;

/**
 * @param {{state: string, floor: {user: string, agent: string, holder: string}}} talk
 * @param {{isMuted: boolean, hasMic: boolean}} mic
 * @returns {string} what the shape says, in words
 */
export function presenceText({ state, floor }, { isMuted, hasMic }) {
  if (state === 'asking' && !hasMic) return STATE_TEXTS.connecting;
  if (state !== 'live') return STATE_TEXTS[state];
  const text = floorText(floor);
  if (!hasMic) return text ?? 'Ready for your message';
  if (isMuted) return text && floor.agent !== 'idle' ? `${text}; you are muted` : 'You are muted';
  return text ?? 'Listening';
}

const STATE_TEXTS = {
  idle: 'Ready',
  asking: 'Allow the microphone to begin',
  connecting: 'Connecting',
  reconnecting: 'Reconnecting',
  ended: 'The conversation is over',
};

function floorText(floor) {
  if (floor.agent === 'paused') return 'Held: you are speaking';
  if (floor.agent === 'speaking') return floor.user === 'speaking' ? 'You are both speaking' : 'Speaking';
  if (floor.user === 'speaking') return 'You are speaking';
  if (floor.agent === 'thinking') return 'Thinking';
  return floor.user === 'ending' ? 'Have you finished?' : null;
}

/** @param {number} rms linear, 0 to 1 @returns {number} 0 to 1, as loud as it sounds */
export function loudness(rms) {
  const db = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (db - QUIETEST_DB) / (LOUDEST_DB - QUIETEST_DB)));
}

/**
 * @param {HTMLElement} root  holds the canvas and the line of text
 * @param {EventTarget} call
 * @param {import('../live-talk.js').LiveTalk} live
 * @param {() => {isMuted: boolean, hasMic: boolean}} micNow
 * @returns {{refresh: () => void}} `refresh` is for changes of the microphone, which no event tells of
 */
export function mount(root, call, live, micNow) {
  const text = root.querySelector('p');
  const shape = new Shape(root.querySelector('canvas'));

  const refresh = () => {
    const said = presenceText(live.talk, micNow());
    if (text.textContent !== said) text.textContent = said;
    const { state, floor } = live.talk;
    const isLive = state === 'live';
    shape.aim({
      awake: isLive ? 1 : 0,
      think: (isLive && floor.agent === 'thinking') || state === 'connecting' || state === 'reconnecting' ? 1 : 0,
      held: isLive && (floor.agent === 'paused' || floor.ducked) ? 1 : 0,
      userHolds: isLive && ['user', 'both'].includes(floor.holder) ? 1 : 0,
      agentHolds: isLive && ['agent', 'both'].includes(floor.holder) ? 1 : 0,
    });
  };
  live.addEventListener('change', refresh);
  call.addEventListener('heard', ({ detail }) => shape.hear('user', micNow().isMuted ? 0 : loudness(detail.rms)));
  call.addEventListener('spoken', ({ detail }) => shape.hear('agent', loudness(detail.rms)));
  document.addEventListener('speakback:theme', () => shape.recolour());
  refresh();
  return { refresh };
}

/** The shape itself: values that follow what they aim at, and the frames that show them. */
class Shape {
  #canvas;
  #context;
  #value = { user: 0, agent: 0, awake: 0, think: 0, held: 0, userHolds: 0, agentHolds: 0 };
  #goal = { ...this.#value };
  #heardAtMs = { user: 0, agent: 0 };
  #phase = 0;
  #turned = 0;
  #lastMs = 0;
  #isRunning = false;
  #isStill = matchMedia('(prefers-reduced-motion: reduce)');
  #colours = {};
  /** The rim's points around the centre, where 1 is the radius at rest. */
  #outline = [];

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.#fit()).observe(canvas);
    this.recolour();
  }

  aim(goals) {
    Object.assign(this.#goal, goals);
    this.#wake();
  }

  /** @param {'user'|'agent'} voice @param {number} level 0 to 1 */
  hear(voice, level) {
    this.#goal[voice] = level;
    this.#heardAtMs[voice] = performance.now();
    if (level > AT_REST) this.#wake();
  }

  recolour() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ['surface', 'edge', 'line', 'user', 'agent']) {
      this.#colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this.#wake();
  }

  #fit() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (side === 0 || side === this.#canvas.width) return;
    this.#canvas.width = side;
    this.#canvas.height = side;
    this.#draw();
  }

  #wake() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#lastMs = performance.now();
    requestAnimationFrame((nowMs) => this.#frame(nowMs));
  }

  #frame(nowMs) {
    if (nowMs - this.#lastMs < FRAME_EVERY_MS) {
      requestAnimationFrame((thenMs) => this.#frame(thenMs));
      return;
    }
    const stepMs = Math.min(LONGEST_STEP_MS, Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    const isMoving = this.#follow(stepMs, nowMs);
    this.#draw();
    this.#isRunning = isMoving;
    if (isMoving) requestAnimationFrame((thenMs) => this.#frame(thenMs));
  }

  /** @returns {boolean} whether another frame would differ */
  #follow(stepMs, nowMs) {
    const value = this.#value;
    let isMoving = false;
    for (const voice of ['user', 'agent']) {
      if (nowMs - this.#heardAtMs[voice] > STALE_MS) this.#goal[voice] = 0;
    }
    for (const name of Object.keys(value)) {
      const gap = this.#goal[name] - value[name];
      const isVoice = name === 'user' || name === 'agent';
      const timeMs = isVoice ? (gap > 0 ? RISE_MS : FALL_MS) : SETTLE_MS;
      value[name] = Math.abs(gap) < AT_REST ? this.#goal[name] : value[name] + gap * (1 - Math.exp(-stepMs / timeMs));
      isMoving ||= value[name] !== this.#goal[name];
    }
    if (!this.#isStill.matches) {
      this.#phase += (stepMs / 1000) * (value.user + value.agent);
      this.#turned += (stepMs / 1000) * value.think;
    }
    return isMoving || value.user > AT_REST || value.agent > AT_REST || (value.think > AT_REST && !this.#isStill.matches);
  }

  /** The distance of the rim from the centre in direction `angle`, where 1 is the shape at rest. */
  #rim(angle) {
    const { user, agent, think, held } = this.#value;
    const phase = this.#phase;
    const organic = 0.014 * Math.cos(2 * angle + 0.7) + 0.008 * Math.cos(3 * angle - 1.1);
    const turning = 0.045 * think * Math.cos(3 * angle - 1.6 * this.#turned);
    const inside = agent * (0.11 + 0.035 * Math.cos(2 * angle + 2.3 * phase) + 0.03 * Math.cos(3 * angle - 3.1 * phase) + 0.014 * Math.cos(5 * angle + 4.3 * phase));
    const outside = user * (0.05 + 0.022 * Math.cos(4 * angle - 2.9 * phase) + 0.014 * Math.cos(3 * angle + 3.7 * phase));
    return (1 + organic + turning + inside - outside) * (1 - 0.12 * held);
  }

  /** The rim at that scale, as the context's path. */
  #path(scale) {
    const context = this.#context;
    const centre = this.#canvas.width / 2;
    const radius = this.#canvas.width * RADIUS * scale;
    context.beginPath();
    for (const [x, y] of this.#outline) context.lineTo(centre + radius * x, centre + radius * y);
    context.closePath();
  }

  #draw() {
    const side = this.#canvas.width;
    const context = this.#context;
    context.clearRect(0, 0, side, side);
    context.lineJoin = 'round';
    this.#outline = ANGLES.map((angle) => {
      const distance = this.#rim(angle);
      return [distance * Math.cos(angle), distance * Math.sin(angle)];
    });
    this.#drawWaves(side);
    this.#drawBody(side);
    context.globalAlpha = 1;
  }

  /** The user's side: a ring around the shape, and while there is a voice, rings that come in from outside. */
  #drawWaves(side) {
    const { user } = this.#value;
    const context = this.#context;
    const count = this.#isStill.matches ? 1 : 3;
    context.strokeStyle = this.#colours.user;
    context.lineWidth = Math.max(1, side / 160);
    context.globalAlpha = 0.3 * (1 - user);
    this.#path(1.2);
    context.stroke();
    for (let index = 0; index < count; index += 1) {
      const away = this.#isStill.matches ? 0.4 : 1 - ((this.#phase * 1.1 + index / count) % 1);
      context.globalAlpha = user * Math.sin(Math.PI * Math.min(1, 1.08 - away)) * 0.85;
      this.#path(1.06 + 0.36 * away);
      context.stroke();
    }
  }

  /** Body, core and rim. The core is the agent's voice; the rim takes the colour of who holds the floor. */
  #drawBody(side) {
    const { agent, awake, held, userHolds, agentHolds, think } = this.#value;
    const context = this.#context;
    const { surface, edge, user: userColour, agent: agentColour } = this.#colours;
    const layers = [[surface, 1], [agentColour, 0.02 + 0.03 * awake + 0.09 * agentHolds], [userColour, 0.1 * userHolds]];
    this.#path(1);
    for (const [colour, alpha] of layers) {
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      context.fill();
    }
    context.lineWidth = Math.max(1.25, side / 120);
    for (const [colour, alpha] of [[edge, 1], [agentColour, agentHolds * (1 - 0.4 * held)], [userColour, userHolds]]) {
      context.globalAlpha = alpha;
      context.strokeStyle = colour;
      context.stroke();
    }
    this.#path(0.24 + 0.06 * awake + 0.42 * agent - 0.04 * think);
    context.globalAlpha = (0.35 + 0.3 * awake + 0.3 * agent) * (1 - 0.55 * held);
    context.fillStyle = agentColour;
    context.fill();
  }
}
