// Makes a call in a page and keeps all that it tells: `window.talk`.
async () => {
  const { Call } = await import('/static/any/call.js');
  const KINDS = ['state', 'server', 'heard', 'spoken', 'audible', 'silenced', 'underrun', 'problem', 'solved', 'stats'];
  const talk = { key: null, told: [], waiting: [] };
  const call = new Call({ root: document.baseURI, getKey: () => talk.key });
  for (const kind of KINDS) {
    call.addEventListener(kind, ({ detail }) => {
      talk.told.push({ kind, detail: structuredClone(detail), nowMs: call.nowMs(), wallMs: performance.timeOrigin + performance.now() });
      talk.waiting = talk.waiting.filter((look) => !look());
    });
  }
  talk.call = call;
  talk.begin = (wishes) => call.start(wishes).then(() => null, ({ code, message, isFatal, retryInS }) => ({ code, message, isFatal, retryInS }));
  /** The details of one kind so far. */
  talk.all = (kind) => talk.told.filter((one) => one.kind === kind).map(({ detail }) => detail);
  /** The first of a kind that has these fields, counted from `from`; waits for it. */
  talk.until = (kind, fields, from = 0) => new Promise((resolve) => {
    const has = ({ kind: its, detail }) => its === kind && Object.entries(fields).every(([key, value]) => key.split('.').reduce((at, name) => at?.[name], detail) === value);
    const look = () => {
      const index = talk.told.findIndex((one, at) => at >= from && has(one));
      if (index < 0) return false;
      resolve({ ...talk.told[index], index });
      return true;
    };
    if (!look()) talk.waiting.push(look);
  });
  talk.wav = async () => {
    const blob = await call.recorder.toWav();
    const url = await new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(blob);
    });
    return { wav: url.slice(url.indexOf(',') + 1), startMs: call.recorder.startMs };
  };
  window.talk = talk;
}
