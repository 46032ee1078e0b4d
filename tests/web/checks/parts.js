const { Lateness, MOST_DELAY_MS } = await load('audio/lateness.js');
const { JitterBuffer } = await load('audio/jitter.js');
const { MicWatch } = await load('audio/mic.js');
const { Recorder, USER, AGENT } = await load('audio/recorder.js');
const { CallClock, DriftWatch, SleepWatch } = await load('audio/clock.js');
const { FRAME_SAMPLES } = await load('audio/format.js');
const { Uplink } = await load('line/uplink.js');
const { waitS } = await load('line/backoff.js');
const wire = await load('line/wire.js');

const frame = (peak, clipped = 0) => ({ peak, clipped });
const told = (watch, frames) => frames.flatMap((one, n) => watch.next(one, false).map((news) => [n * 20, ...news]));
const many = (count, one) => Array.from({ length: count }, () => one);

function uplinkOf(frames, keptMs = 1000) {
  const uplink = new Uplink(keptMs);
  for (let n = 0; n < frames; n += 1) uplink.record(200 + n * 20, new Int16Array(FRAME_SAMPLES).fill(n));
  return uplink;
}

/**
 * Replies of 10 s for five minutes, in virtual time: pings, the pace of the server (40 ms at most 80 ahead; once it knows the line
 * 20 ms, 120 ahead), a line that delays each message and keeps their order, and the page's buffer.
 */
function jitteryCall(random, jitterMs) {
  const lateness = new Lateness();
  const buffer = new JitterBuffer();
  const out = new Float32Array(128);
  const late = () => random() * jitterMs;
  let clockMs = 0;
  const waits = [];
  for (let n = 0; n < 8; n += 1) lateness.roundTrip(2 + late() + late());
  for (let reply = 0; reply < 28; reply += 1) {
    const { delayMs, enoughMs } = lateness.start(clockMs);
    buffer.begin(reply, delayMs * 24, enoughMs * 24);
    const began = clockMs;
    const [messageMs, leadMs] = reply === 0 ? [40, 80] : [jitterMs > 20 ? 20 : 40, jitterMs > 20 ? 120 : 80];
    const messages = Array.from({ length: 10_000 / messageMs }, (_, n) => Math.max(0, n * messageMs + messageMs - leadMs));
    let arrived = 0;
    let begun = false;
    const arrivals = messages.map((sentMs) => (arrived = Math.max(arrived, began + sentMs + 1 + late())));
    let next = 0;
    for (let quantum = 0; next < arrivals.length || buffer.current !== null; quantum += 1) {
      for (; next < arrivals.length && arrivals[next] <= clockMs; next += 1) {
        lateness.arrived(messageMs);
        buffer.push(reply, new Int16Array(messageMs * 24).fill(4000));
        if (next === arrivals.length - 1) buffer.end(reply);
      }
      buffer.pull(out, 0, 128);
      clockMs += 128 / 24;
      if (buffer.isPlaying && !begun) {
        begun = true;
        waits.push(Math.max(0, clockMs - arrivals[0] - 2 * (128 / 24)));
      }
      if (quantum % 190 === 0) lateness.roundTrip(2 + late() + late());
    }
  }
  const underruns = buffer.news.filter(({ what }) => what === 'underrun').length;
  return { underruns, waitedMs: waits.sort((a, b) => a - b) };
}

const firstOf = (buffer) => new Int16Array(buffer, 8)[0];

return failures({
  // ---- lateness ----
  'a quiet line makes nothing wait': () => {
    const lateness = new Lateness();
    for (let n = 0; n < 20; n += 1) lateness.roundTrip(2 + (n % 3));
    same(lateness.start(0).delayMs, 0, 'delay');
  },
  'what round trips are late by, less the message itself': () => {
    const lateness = new Lateness();
    const random = dice(3);
    for (let n = 0; n < 40; n += 1) lateness.roundTrip(10 + 100 * random());
    lateness.arrived(20);
    const { jitterMs } = lateness;
    that(jitterMs > 75 && jitterMs < 105, `${jitterMs}`);
    same(lateness.start(0), { delayMs: jitterMs - 20, enoughMs: jitterMs + 20 }, 'start');
  },
  'one late answer is not yet jitter': () => {
    const lateness = new Lateness();
    [60, 2, 2, 3, 2, 3, 2, 2, 3, 2].forEach((ms) => lateness.roundTrip(ms));
    that(lateness.jitterMs < 2, `${lateness.jitterMs}`);
  },
  'what was missing is kept ready for a while, and never more than is bearable': () => {
    const lateness = new Lateness();
    lateness.underrun(80, 0);
    same(lateness.start(0).delayMs, 80, 'at once');
    that(Math.abs(lateness.start(60_000).delayMs - 40) < 1e-9, 'a minute later');
    same(lateness.start(600_000).delayMs, 0, 'ten minutes later');
    lateness.underrun(5000, 0);
    same(lateness.start(0).delayMs, MOST_DELAY_MS, 'most');
  },

  'five minutes on a line with 50 ms of jitter both ways: no underrun, whatever the dice': () => {
    for (let seed = 1; seed <= 12; seed += 1) {
      const found = jitteryCall(dice(seed), 50);
      same(found.underruns, 0, `underruns with dice ${seed}`);
      that(found.waitedMs.at(-1) < 110 && found.waitedMs[14] < 60, `with dice ${seed} it waited for ${found.waitedMs}`);
    }
  },
  'and on a quiet line it waits for nothing': () => {
    const { underruns, waitedMs } = jitteryCall(dice(1), 2);
    same([underruns, waitedMs.at(-1)], [0, 0], 'found');
  },

  // ---- the microphone's watch ----
  'a microphone of zeros is told of after four seconds, and when it works': () => {
    same(told(new MicWatch(), [...many(250, frame(0)), frame(0.1), ...many(10, frame(0.01))]),
      [[3980, 'mic-silent', true], [5000, 'mic-silent', false]], 'news');
  },
  'pauses of a microphone that works are nothing': () => {
    same(told(new MicWatch(), [frame(0.2), ...many(3000, frame(0.00001))]), [], 'news');
  },
  'zeros for long after it worked are told': () => {
    same(told(new MicWatch(), [frame(0.2), ...many(900, frame(0))]), [[15_000, 'mic-silent', true]], 'news');
  },
  'muted is not silent': () => {
    const watch = new MicWatch();
    same(many(1000, frame(0)).flatMap((one) => watch.next(one, true)), [], 'news');
  },
  'distortion is told when it goes on, and when it has passed': () => {
    const watch = new MicWatch();
    same(told(watch, [...many(3, frame(1, 2)), ...many(300, frame(0.5))]), [], 'a knock');
    same(told(watch, [...many(10, frame(1, 2)), ...many(500, frame(0.5))]),
      [[140, 'mic-clipping', true], [(9 + 400) * 20, 'mic-clipping', false]], 'news');
  },

  // ---- the uplink ----
  'frames go out in order, and again from where the server heard them': () => {
    const uplink = uplinkOf(10);
    same(uplink.mediaOffsetMs, 200, 'offset');
    same(firstOf(uplink.take(4, 8)), 0, 'first');
    same([uplink.waiting, uplink.sentMs], [6, 80], 'left');
    uplink.goBack(43);
    same(firstOf(uplink.take(1, 8)), 2, 'again');
    same(uplink.mediaOffsetMs, 200, 'offset still');
  },
  'what is too old is skipped, and media time is what was sent': () => {
    const uplink = uplinkOf(10);
    uplink.take(10, 8);
    for (let n = 10; n < 110; n += 1) uplink.record(0, new Int16Array(FRAME_SAMPLES).fill(n));
    uplink.goBack(200);
    same([firstOf(uplink.take(1, 8)), uplink.skipped, uplink.mediaOffsetMs], [60, 50, 200 + 1000], 'the oldest that is kept');
    uplink.goBack(200);
    same(firstOf(uplink.take(1, 8)), 60, 'media time 200 is that frame now');
  },
  'another conversation begins with what was said of late': () => {
    const uplink = uplinkOf(40);
    uplink.restart(100);
    same([firstOf(uplink.take(1, 8)), uplink.mediaOffsetMs, uplink.sentMs], [35, 200 + 35 * 20, 20], 'from');
    const short = uplinkOf(3);
    short.restart(100);
    same([firstOf(short.take(1, 8)), short.mediaOffsetMs], [0, 200], 'less than that');
  },

  // ---- the recorder ----
  'both voices lie where they were, to the sample': async () => {
    const recorder = new Recorder();
    recorder.write(USER, 0, new Int16Array(48_000).fill(5));
    recorder.write(AGENT, 4990, Int16Array.from({ length: 960 }, (_, n) => n + 1));
    recorder.settle();
    recorder.write(AGENT, 5030.02, new Int16Array(480).fill(-7));
    recorder.settle();
    recorder.write(USER, 12_000, new Int16Array(24).fill(9));
    recorder.settle();
    same(recorder.durationMs, 12_001, 'duration');
    const bytes = await (await recorder.toWav()).arrayBuffer();
    same(bytes.byteLength, 44 + 4 * 24 * 12_001, 'size');
    const samples = new Int16Array(bytes, 44);
    same([samples[0], samples[1], samples[2 * 47_999], samples[2 * 48_000]], [5, 0, 5, 0], 'the user');
    const at = 24 * 4990;
    same([samples[2 * at + 1], samples[2 * (at + 959) + 1], samples[2 * (at + 960) + 1]], [1, 960, -7], 'the agent');
    same(samples[2 * 24 * 12_000], 9, 'the end');
    const header = new TextDecoder().decode(new Uint8Array(bytes, 0, 44));
    that(header.startsWith('RIFF') && header.slice(8, 16) === 'WAVEfmt ', header);
  },
  'only so much is kept, the newest': async () => {
    const recorder = new Recorder(10_000);
    for (let second = 0; second < 27; second += 1) {
      recorder.write(USER, second * 1000, new Int16Array(24_000).fill(second));
      recorder.settle();
    }
    same([recorder.startMs, recorder.durationMs], [20_000, 7000], 'kept');
    const samples = new Int16Array(await (await recorder.toWav()).arrayBuffer(), 44);
    same([samples[0], samples.at(-2)], [20, 26], 'samples');
    recorder.write(AGENT, 1000, new Int16Array(480).fill(1));
    same(recorder.startMs, 20_000, 'what is older than that is not taken');
    recorder.clear();
    same([recorder.durationMs, (await recorder.toWav()).size], [0, 44], 'cleared');
  },
  'half an hour is written without holding anything up': async () => {
    const recorder = new Recorder();
    const minute = new Int16Array(24_000 * 60).fill(3);
    for (let n = 0; n < 3; n += 1) {
      recorder.write(USER, n * 60_000, minute);
      recorder.settle();
    }
    const began = performance.now();
    const writing = recorder.toWav();
    that(performance.now() - began < 50, `${performance.now() - began} ms at once`);
    same((await writing).size, 44 + 4 * 24_000 * 180, 'size');
  },

  // ---- clocks ----
  'the clock is smooth between the steps of the sound, and never goes back': () => {
    const clock = new CallClock();
    let last = -1;
    let worst = 0;
    for (let ms = 0; ms < 5000; ms += 1) {
      const now = clock.now(1000 + ms, Math.floor(ms / 20) * 20);
      that(now >= last, `back from ${last} to ${now}`);
      last = now;
      if (ms > 500) worst = Math.max(worst, Math.abs(now - ms));
    }
    that(worst < 8, `${worst} ms off`);
    that(clock.now(20_000, 5000) < 5020, 'after a sleep it is the sound that counts');
  },
  'a sleep is noticed by either clock, a slow page is not one': () => {
    const watch = new SleepWatch();
    same([watch.look(0, 0, 0), watch.look(5000, 5000, 4950), watch.look(6000, 66_000, 6000), watch.look(16_000, 76_000, 6500)],
      [0, 0, 59_950, 9500], 'slept');
  },
  'clocks that run apart are noticed within minutes': () => {
    const watch = new DriftWatch();
    same([watch.look(0, 0), watch.look(30_000, 30_200)], [null, null], 'too early');
    that(Math.abs(watch.look(100_000, 100_500) - 0.005) < 1e-9, 'half a percent');
  },
  'nobody comes back at the same time as all others, nor too late': () => {
    same([waitS(0, () => 0), waitS(0, () => 1), waitS(3, () => 1), waitS(20, () => 1)], [0.125, 0.25, 2, 5], 'seconds');
  },

  // ---- the wire ----
  'headers are those of the protocol': () => {
    const buffer = new ArrayBuffer(12);
    wire.stamp(buffer, 2 ** 32 + 258);
    same([...new Uint8Array(buffer)], [1, 1, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0], 'bytes');
    const message = Uint8Array.from([1, 2, 0, 0, 5, 0, 0, 0, 0, 32, 0, 64]);
    const { sequence, pcm16 } = wire.unpack(message.buffer);
    same([sequence, ...pcm16], [5, 8192, 16384], 'agent audio');
  },
  'what is no message is refused': () => {
    for (const bytes of [[], [1, 2, 0], [2, 2, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0, 0, 0, 0]]) {
      try {
        wire.unpack(Uint8Array.from(bytes).buffer);
      } catch (error) {
        that(error instanceof wire.WireError, String(error));
        continue;
      }
      throw new Error(`${bytes} was taken`);
    }
    for (const text of ['', '[', 'null', '{}', '"type"']) {
      try {
        wire.event(text);
      } catch (error) {
        that(error instanceof wire.WireError, String(error));
        continue;
      }
      throw new Error(`${text} was taken`);
    }
  },
  'a patch is laid on what the page asks for': () => {
    const session = wire.session({ instructions: 'Brief.', speakback: { strategy: 'calm' } });
    same([session.instructions, session.speakback.strategy, session.speakback.binary_audio, session.type],
      ['Brief.', 'calm', true, 'realtime'], 'session');
    same(wire.merge({ a: { b: 1, c: [1] } }, { a: { c: [2], d: null } }), { a: { b: 1, c: [2], d: null } }, 'merged');
    same(wire.socketUrl('https://x.example/talk?a', '/v1/realtime'), 'wss://x.example/v1/realtime', 'address');
    same(wire.subprotocols('t', 'r'), ['realtime', 'speakback-page.t', 'speakback-resume.r'], 'subprotocols');
  },
});
