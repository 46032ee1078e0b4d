// What every file of checks begins with. A check is a function that throws; `failures` names those that did.
const load = (path) => import(`/static/any/${path}`);

function that(holds, message) {
  if (!holds) throw new Error(message);
}

function same(found, wanted, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  that(a === b, `${what}: ${a?.slice(0, 400)} is not ${b?.slice(0, 400)}`);
}

async function failures(checks) {
  const failed = {};
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
    } catch (error) {
      failed[name] = String(error?.stack ?? error);
    }
  }
  return { failed, ran: Object.keys(checks).length };
}

/** Numbers that look random and are the same each time. */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
