const { JitterBuffer, FADE_SAMPLES, DUCKED_GAIN, DUCK_RAMP_SAMPLES } = await load('audio/jitter.js');

const QUANTUM = 128;
const ramp = (from, count) => Int16Array.from({ length: count }, (_, n) => ((from + n) % 20000) + 1000);
const level = (value, count) => new Int16Array(count).fill(value);

function pulled(buffer, count, quantum = QUANTUM) {
  const out = new Float32Array(count);
  for (let at = 0; at < count; at += quantum) buffer.pull(out, at, Math.min(quantum, count - at));
  return out;
}

const pcm = (floats) => Array.from(floats, (sample) => Math.round(sample * 32768));
const news = (buffer, what) => buffer.news.filter((one) => one.what === what);

/** Pull for so long while messages of 40 ms come as `arrivals` says; gives the buffer. */
function play({ ms, sourceRate = 1, leadMs = 80, delay = 0 }) {
  const buffer = new JitterBuffer();
  buffer.begin(1, delay);
  const out = new Float32Array(QUANTUM);
  let sent = 0;
  const levels = [];
  for (let clock = 0; clock < ms * 24; clock += QUANTUM) {
    while (sent < clock * sourceRate + leadMs * 24) {
      buffer.push(1, level(8000, 960));
      sent += 960;
    }
    buffer.pull(out, 0, QUANTUM);
    levels.push(buffer.buffered / 24);
  }
  return { buffer, levels };
}

return failures({
  'what comes in comes out, sample for sample, whatever the pieces': () => {
    const random = dice(1);
    const buffer = new JitterBuffer();
    buffer.begin(7, 0);
    const sent = [];
    const heard = [];
    for (let step = 0; step < 3000; step += 1) {
      const piece = ramp(sent.length, buffer.buffered > 4000 ? 1 : 1 + Math.floor(random() * 300));
      buffer.push(7, piece);
      sent.push(...piece);
      if (step > 20) {
        const count = Math.min(1 + Math.floor(random() * 200), buffer.buffered);
        const out = new Float32Array(count);
        buffer.pull(out, 0, count);
        heard.push(...pcm(out));
      }
    }
    same(heard, sent.slice(0, heard.length), 'samples');
    that(heard.length > 100_000, `only ${heard.length} were pulled`);
    same(news(buffer, 'underrun').length, 0, 'underruns');
  },
  'the first sample waits exactly as long as is asked': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 333);
    pulled(buffer, 256);
    buffer.push(1, level(1000, 960));
    const out = pcm(pulled(buffer, 1024));
    same(out.findIndex((sample) => sample !== 0), 333, 'samples of silence');
    same(news(buffer, 'audible')[0].at, 256 + 333, 'the clock at the first audible sample');
  },
  'an item that has come as a whole waits for nothing': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 5000);
    buffer.push(1, level(1000, 100));
    buffer.end(1);
    same(pcm(pulled(buffer, 128)).filter((sample) => sample === 1000).length, 100, 'samples at once');
  },
  'audible is what is above -50 dBFS': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, Int16Array.from([...level(90, 200), ...level(-120, 200)]));
    pulled(buffer, 384);
    same(news(buffer, 'audible').map(({ at }) => at), [200], 'at');
  },
  'items follow each other, and each says how much of it was played': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, level(1000, 300));
    buffer.end(1);
    buffer.begin(2, 500);
    buffer.push(2, level(2000, 300));
    buffer.end(2);
    const out = pcm(pulled(buffer, 1024));
    same(out, [...level(1000, 300), ...level(2000, 300), ...level(0, 424)], 'out');
    same(news(buffer, 'played').map(({ key, samples }) => [key, samples]), [[1, 300], [2, 300]], 'played');
    same(news(buffer, 'underrun').length, 0, 'underruns');
  },
  'cleared: a fade of 5 ms and then not one sample more': () => {
    for (const quantum of [128, 64, 33, 480]) {
      const buffer = new JitterBuffer();
      buffer.begin(1, 0);
      buffer.push(1, level(10000, 4800));
      pulled(buffer, 1000, quantum);
      buffer.clear();
      const out = pcm(pulled(buffer, 2000, quantum));
      const wanted = Array.from({ length: FADE_SAMPLES }, (_, n) => Math.round((10000 * (FADE_SAMPLES - 1 - n)) / FADE_SAMPLES));
      for (let n = 0; n < FADE_SAMPLES; n += 1) that(Math.abs(out[n] - wanted[n]) <= 1, `sample ${n}: ${out[n]}`);
      that(out.slice(FADE_SAMPLES).every((sample) => sample === 0), 'something after the fade');
      const [cleared] = news(buffer, 'cleared');
      same(cleared.items, [{ key: 1, played: 1000 + FADE_SAMPLES, dropped: 4800 - 1000 - FADE_SAMPLES }], 'items');
      same(buffer.push(1, level(1, 100)), 0, 'what comes late of it');
      same(buffer.buffered, 0, 'left');
    }
  },
  'cleared before it sounds: nothing was heard of it': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 2400);
    buffer.push(1, level(10000, 960));
    pulled(buffer, 256);
    buffer.clear();
    same(news(buffer, 'cleared')[0].items, [{ key: 1, played: 0, dropped: 960 }], 'items');
    that(pulled(buffer, 4800).every((sample) => sample === 0), 'it was heard');
  },
  'cleared with nothing there, and with less than a fade there': () => {
    const buffer = new JitterBuffer();
    buffer.clear();
    same(news(buffer, 'cleared').length, 1, 'told');
    buffer.begin(1, 0);
    buffer.push(1, level(10000, 200));
    pulled(buffer, 150);
    buffer.clear();
    const out = pcm(pulled(buffer, 512));
    that(out[49] < 10000 && out.slice(50).every((sample) => sample === 0), 'the rest');
    same(news(buffer, 'cleared').length, 2, 'told again');
    same([buffer.buffered, buffer.isClearing], [0, false], 'left');
  },
  'what begins while the old fades is heard in full': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, level(10000, 4800));
    pulled(buffer, 256, 64);
    buffer.clear();
    pulled(buffer, 64, 64);
    buffer.begin(2, 0);
    buffer.push(2, level(5000, 500));
    buffer.end(2);
    const out = pcm(pulled(buffer, 1024, 64));
    same(out.filter((sample) => sample === 5000).length, 500, 'samples of the new');
    same(news(buffer, 'cleared')[0].items.map(({ key }) => key), [1], 'cleared');
  },
  'running dry is counted when more comes, with what was missing': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, level(1000, 480));
    pulled(buffer, 1280);
    same(buffer.news.filter(({ what }) => what === 'underrun').length, 0, 'not before');
    buffer.push(1, level(1000, 960));
    const out = pcm(pulled(buffer, 512));
    same(news(buffer, 'underrun').map(({ at, samples }) => [at, samples]), [[1280, 800]], 'underruns');
    that(out[0] < 20 && out[60] > 300 && out[60] < 700 && out[FADE_SAMPLES + 1] === 1000, 'it fades in');
  },
  'an end that is told late, and a hold, are no underruns': () => {
    const late = new JitterBuffer();
    late.begin(1, 0);
    late.push(1, level(1000, 480));
    pulled(late, 1280);
    late.end(1);
    same(late.news.map(({ what }) => what), ['audible', 'played'], 'late');
    const held = new JitterBuffer();
    held.begin(1, 0);
    held.push(1, level(1000, 480));
    held.hold(true);
    pulled(held, 4800);
    held.hold(false);
    held.push(1, level(1000, 480));
    held.end(1);
    const out = pcm(pulled(held, 512));
    same(held.news.map(({ what }) => what), ['audible', 'played'], 'held');
    same(out.slice(0, 480), [...level(1000, 480)], 'as it was sent: the server fades');
  },
  'the page and the server together duck once': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, level(20000, 2000));
    pulled(buffer, 400);
    buffer.duck();
    const server = (n) => 1 + (DUCKED_GAIN - 1) * Math.min(n / DUCK_RAMP_SAMPLES, 1);
    buffer.push(1, Int16Array.from({ length: 3000 }, (_, n) => 20000 * server(n)));
    const out = pcm(pulled(buffer, 4500));
    for (let n = 0; n < 4500; n += 1) {
      const wanted = 20000 * server(n);
      that(Math.abs(out[n] - wanted) <= 3, `sample ${n}: ${out[n]}, not ${wanted}`);
    }
    pulled(buffer, 100);
    buffer.push(1, level(5000, 1000));
    same(pcm(pulled(buffer, 500)), [...level(5000, 500)], 'behind it nothing is changed');
  },
  'a duck with little in hand goes on in what the server ducks': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, level(20000, 600));
    pulled(buffer, 400);
    buffer.duck();
    buffer.push(1, Int16Array.from({ length: 3000 }, (_, n) => 20000 * (1 + (DUCKED_GAIN - 1) * Math.min(n / DUCK_RAMP_SAMPLES, 1))));
    const out = pulled(buffer, 2500);
    let last = 20000 / 32768;
    for (const sample of out) {
      that(sample <= last + 1e-4 && last - sample < 0.01, `a jump from ${last} to ${sample}`);
      last = sample;
    }
    that(Math.abs(last - (20000 * DUCKED_GAIN) / 32768) < 1e-3, `ends at ${last}`);
  },
  'a server whose clock is slower by 0.3 % is never waited for': () => {
    const { buffer, levels } = play({ ms: 60_000, sourceRate: 0.997 });
    same(news(buffer, 'underrun').length, 0, 'underruns');
    that(buffer.rate < 1 || levels.at(-1) > 12, `rate ${buffer.rate} at ${levels.at(-1)} ms`);
  },
  'a server whose clock is faster by 0.3 % does not run away': () => {
    const { buffer, levels } = play({ ms: 240_000, sourceRate: 1.003, leadMs: 100 });
    that(Math.max(...levels.slice(-100)) < 640, `${levels.at(-1)} ms`);
    same(news(buffer, 'underrun').length, 0, 'underruns');
  },
  'a server that sends all at once is played as it is': () => {
    const buffer = new JitterBuffer();
    buffer.begin(1, 0);
    buffer.push(1, ramp(0, 24_000 * 20));
    same(pcm(pulled(buffer, 24_000 * 10)), [...ramp(0, 24_000 * 10)], 'samples');
    same(buffer.rate, 1, 'rate');
  },
  'back from half a percent it is exact again': () => {
    const { buffer } = play({ ms: 60_000, sourceRate: 0.997 });
    for (let n = 0; n < 40; n += 1) buffer.push(1, level(8000, 960));
    pulled(buffer, 24_000 * 1.2);
    buffer.push(1, ramp(0, 48_000));
    const out = pcm(pulled(buffer, 24_000));
    same([buffer.rate, buffer.fraction], [1, 0], 'rate');
    const from = out.findIndex((sample) => sample !== 8000);
    same(out.slice(from), [...ramp(0, 48_000)].slice(0, out.length - from), 'samples');
  },
  'more than fits is dropped and counted': () => {
    const buffer = new JitterBuffer(1024);
    buffer.begin(1, 0);
    same(buffer.push(1, level(1, 2000)), 1024, 'taken');
    same(buffer.overflowSamples, 976, 'dropped');
  },
});
