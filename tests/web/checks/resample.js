const { Resampler } = await load('audio/resample.js');

const tone = (hz, rate, from, count) => Float32Array.from({ length: count }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * (from + n)) / rate));

/** One second of a tone in quanta of 128, as a worklet gets it. */
function pushed(hz, from, to) {
  const resampler = new Resampler(from, to, 128);
  const made = [];
  const out = new Float32Array(resampler.mostOutput(128));
  for (let at = 0; at + 128 <= from; at += 128) {
    const count = resampler.push(tone(hz, from, at, 128), 128, out);
    made.push(...out.subarray(0, count));
  }
  return Float32Array.from(made);
}

/** Signal to noise in dB between what was made and the same tone at the other rate; the filter's first 5 ms left out. */
function snr(made, hz, to) {
  const wanted = tone(hz, to, 0, made.length);
  let signal = 0;
  let noise = 0;
  for (let n = Math.round(to * 0.005); n < made.length; n += 1) {
    signal += wanted[n] ** 2;
    noise += (made[n] - wanted[n]) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

const RATES = [[48000, 24000], [44100, 24000], [16000, 24000], [96000, 24000], [24000, 48000], [24000, 44100]];

return failures({
  'a tone comes out as the same tone, at the same time': () => {
    for (const [from, to] of RATES) {
      for (const hz of [100, 1000, 6000]) {
        const found = snr(pushed(hz, from, to), hz, to);
        that(found > 75, `${hz} Hz from ${from} to ${to}: ${found.toFixed(1)} dB`);
      }
    }
  },
  'nothing above the new band folds into it': () => {
    for (const from of [48000, 44100]) {
      const made = pushed(15000, from, 24000).subarray(500, -500);
      const peak = made.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      that(20 * Math.log10(peak / 0.5) < -75, `15 kHz at ${from} leaves ${peak}`);
    }
  },
  'pulled and pushed make the same samples': () => {
    for (const [from, to] of RATES) {
      const wanted = pushed(440, from, to);
      const resampler = new Resampler(from, to);
      const out = new Float32Array(128);
      let at = 0;
      const fill = (target, offset, count) => {
        target.set(tone(440, from, at, count), offset);
        at += count;
      };
      for (let made = 0; made + 128 < wanted.length; made += 128) {
        resampler.pull(out, 128, fill);
        same([...out], [...wanted.subarray(made, made + 128)], `${from} to ${to} at ${made}`);
      }
    }
  },
  'it takes no more input than it needs': () => {
    const resampler = new Resampler(24000, 48000);
    let taken = 0;
    const out = new Float32Array(128);
    for (let n = 0; n < 100; n += 1) resampler.pull(out, 128, (target, offset, count) => { taken += count; });
    that(taken - 6400 <= 24 && taken >= 6400, `${taken} samples for 6400`);
  },
  'silence stays silence, and a level its level': () => {
    const resampler = new Resampler(44100, 24000, 128);
    const out = new Float32Array(resampler.mostOutput(128));
    let last = 0;
    for (let n = 0; n < 50; n += 1) last = resampler.push(new Float32Array(128).fill(0.25), 128, out);
    for (const sample of out.subarray(0, last)) that(Math.abs(sample - 0.25) < 1e-6, `${sample}`);
    resampler.reset();
    last = resampler.push(new Float32Array(128), 128, out);
    that(out.subarray(0, last).every((sample) => sample === 0), 'reset left something');
  },
  'a ratio that has no small numbers is refused': () => {
    try {
      new Resampler(44100, 23999);
    } catch (error) {
      that(error instanceof RangeError, String(error));
      return;
    }
    throw new Error('it was taken');
  },
});
