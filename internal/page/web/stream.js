// The stream of the daemon, which is asked for again for as long as the page is open.

/**
 * Why there is none: nothing answers, the token is asked for, or as many watch already as may.
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {'away' | 'token' | 'full'} Why
 */

const silence = 5000; // ms without an event that mean that there is no connection
const patience = 10_000; // ms until the first one: over a slow link it takes some round trips
const pauses = [500, 1000, 2000, 4000, 8000]; // ms

/**
 * @param {object} on
 * @param {(answer: Answer) => void} on.answer each second
 * @param {(since: Date, why: Why) => void} on.lost it is gone since then
 */
export function follow(on) {
  /** @type {EventSource | null} */
  let source = null;
  let last = Date.now();
  let begun = last; // when it was asked for
  /** @type {Why} */
  let why = 'away'; // as was found out last
  let failures = 0;
  let waiting = 0;

  const stop = () => {
    source?.close();
    source = null;
    clearTimeout(waiting);
    waiting = 0;
  };
  const again = () => {
    stop();
    waiting = setTimeout(open, pauses[Math.min(failures, pauses.length - 1)]);
    failures++;
  };
  const lost = async () => {
    const since = last;
    again();
    on.lost(new Date(since), why); // at once: the question may stay without an answer, too
    why = await ask();
    if (last === since) on.lost(new Date(since), why);
  };
  const open = () => {
    stop();
    if (document.hidden) return;
    begun = Date.now();
    source = new EventSource('live/stream');
    source.addEventListener('now', (event) => {
      last = Date.now();
      failures = 0;
      why = 'away';
      on.answer(JSON.parse(event.data));
    });
    source.addEventListener('error', lost);
  };
  setInterval(() => {
    if (source && Date.now() > Math.max(last + silence, begun >= last ? begun + patience : 0)) lost();
  }, 1000);
  // A tab that nobody sees leaves its connection to others: a browser has six.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      stop();
    } else {
      failures = 0;
      open();
    }
  });
  open();
}

/** Why there is no stream. @returns {Promise<Why>} */
async function ask() {
  try {
    const { status, headers } = await fetch('live/stream', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(patience) });
    if (status === 401) return 'token';
    return status === 503 && headers.has('Retry-After') ? 'full' : 'away'; // a proxy may say 503 for a daemon that is away
  } catch {
    return 'away';
  }
}
