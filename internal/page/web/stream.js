// The stream of the daemon, which is asked for again for as long as the page is open.

/** @typedef {import('./types.d.ts').Answer} Answer */

const silence = 5000; // ms without an event that mean that there is no connection
const pauses = [500, 1000, 2000, 4000, 8000]; // ms

/**
 * @param {object} on
 * @param {(answer: Answer) => void} on.answer each second
 * @param {(since: Date, token: boolean) => void} on.lost it is gone since then; token: one is asked for
 */
export function follow(on) {
  /** @type {EventSource | null} */
  let source = null;
  let last = Date.now();
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
    again();
    let token = false;
    try {
      token = (await fetch('live', { method: 'HEAD', cache: 'no-store' })).status === 401;
    } catch {
      // No answer: that is what is said anyway.
    }
    on.lost(new Date(last), token);
  };
  const open = () => {
    stop();
    if (document.hidden) return;
    source = new EventSource('live/stream');
    source.addEventListener('now', (event) => {
      last = Date.now();
      failures = 0;
      on.answer(JSON.parse(event.data));
    });
    source.addEventListener('error', lost);
  };
  setInterval(() => {
    if (!document.hidden && source && Date.now() - last > silence) lost();
  }, 1000);
  // A tab that nobody sees leaves its connection to others: a browser has six.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      stop();
    } else {
      last = Date.now();
      failures = 0;
      open();
    }
  });
  open();
}
