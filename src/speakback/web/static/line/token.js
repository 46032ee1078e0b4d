/** The page's way in: a single-use token for its socket. */

import { Problem } from '../problems.js';

const ANSWER_WITHIN_MS = 10_000;
const BUSY = { too_many_sessions: 'server-full', server_busy: 'server-busy', not_ready: 'not-ready' };

/**
 * Ask for a token.
 * @param {string} root the page's address
 * @param {string|null} key the API key, where the server has any
 * @param {boolean} isResuming whether it is for a conversation that goes on
 * @returns {Promise<{token: string, socket: string}>} rejects with a Problem
 */
export async function pageToken(root, key, isResuming) {
  const headers = {
    ...(key === null || key === '' ? {} : { Authorization: `Bearer ${key}` }),
    ...(isResuming ? { 'Speakback-Resuming': 'true' } : {}),
  };
  let answer;
  let body;
  try {
    answer = await fetch(new URL('web/token', root), {
      method: 'POST', headers, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    body = await answer.json().catch(() => ({}));
  } catch {
    throw new Problem('offline');
  }
  if (answer.ok && typeof body.token === 'string') {
    return { token: body.token, socket: body.socket ?? '/v1/realtime' };
  }
  throw refused(answer, body);
}

function refused(answer, body) {
  const said = body?.error?.message;
  const retryInS = Number(body?.retry_after_s ?? answer.headers.get('Retry-After') ?? 2) || 2;
  switch (answer.status) {
    case 401:
      return new Problem('key-needed');
    case 403:
      return new Problem('origin-refused');
    case 503:
      return new Problem(BUSY[body?.error?.code] ?? 'server-busy', { retryInS });
    default:
      return new Problem('server-failed', {
        message: `The server answered ${answer.status}${said === undefined ? '' : `: ${said}`}. Try again, or see its log.`,
        isFatal: answer.status < 500,
      });
  }
}
