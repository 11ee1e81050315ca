// Whether all is well, in one sentence: the first of what matters most.
import { bytes, clock, percent, several, span } from './format.js';

/**
 * @typedef {{ state: 'ok' | 'warn' | 'bad' | 'idle', text: string, more: string }} Verdict
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Pipeline} Pipeline
 * @typedef {{ read: number, rejected: number }} Minute what happened within the last one
 */

/** @param {string} text @param {string} [more] @returns {Verdict} */
const bad = (text, more = '') => ({ state: 'bad', text, more });
/** @param {string} text @param {string} [more] @returns {Verdict} */
const warn = (text, more = '') => ({ state: 'warn', text, more });

const late = 10; // seconds behind that are said
const rejects = 0.01; // of the lines of a minute
const failures = 0.05; // of its requests

/** @param {Answer} answer @param {Minute} minute @returns {Verdict} */
export function verdict(answer, minute) {
  const p = answer.pipeline;
  if (!p) return { state: 'idle', text: 'Nothing is known of the pipeline.', more: '' };
  return ofStore(p) ?? ofDisk(p) ?? ofLogs(p) ?? ofLines(p, minute) ?? ofTraffic(answer) ?? { state: 'ok', text: 'All is well.', more: '' };
}

let away = 0; // since when InfluxDB is: what is worked out anew each second would wander

/** @param {Pipeline} p */
function ofStore(p) {
  const db = p.influxdb;
  if (db.up) return null;
  if (!db.last_error) return { state: /** @type {const} */ ('idle'), text: 'InfluxDB has not answered yet.', more: '' };
  const unread = p.sources.reduce((sum, s) => sum + Math.max(0, s.lag_bytes), 0);
  const began = Date.now() - db.outage_seconds * 1000;
  if (Math.abs(began - away) > 3000) away = began;
  const waits = p.lines.in_flight === 1 ? 'waits' : 'wait';
  return bad(
    `InfluxDB is away since ${clock(new Date(away))}: ${several(p.lines.in_flight, 'line')} ${waits}.`,
    `${unread > 0 ? `${bytes(unread)} more are in the logs. ` : ''}Nothing is lost while the logs are kept. ${db.last_error}`,
  );
}

/** @param {Pipeline} p */
function ofDisk(p) {
  if (p.rejects.trouble) return bad('The reject file cannot be written, and reading waits.', p.rejects.trouble);
  if (p.checkpoint.trouble) return bad('The checkpoint cannot be saved.', p.checkpoint.trouble);
  return null;
}

/** @param {Pipeline} p */
function ofLogs(p) {
  const shut = p.sources.filter((s) => !s.open);
  if (shut.length > 0) return bad(`${shut.length === 1 ? `${shut[0].name} cannot be read` : `${several(shut.length, 'log')} cannot be read`}.`, shut[0].trouble ?? '');
  const unfit = p.sources.filter((s) => s.trouble);
  if (unfit.length > 0) return bad(`The lines of ${unfit[0].name} are not in its format.`, unfit[0].trouble ?? '');
  const glob = p.globs.find((g) => g.trouble);
  if (glob) return warn(`${glob.name} matches no file.`, glob.trouble ?? '');
  const lost = p.sources.filter((s) => s.generations_lost > 0);
  if (lost.length > 0) return warn(`Logs of ${lost[0].name} were deleted before they were read.`, `${several(lost[0].generations_lost, 'file')} since the start.`);
  if (p.reload?.state === 'refused') return warn('The last reload was refused: the configuration before it is in force.', p.reload.error ?? '');
  return null;
}

/** @param {Pipeline} p @param {Minute} minute */
function ofLines(p, minute) {
  const behind = p.sources.filter((s) => s.lag_seconds > late).sort((a, b) => b.lag_seconds - a.lag_seconds)[0];
  if (behind) return warn(`${behind.name} is ${span(behind.lag_seconds)} behind.`, `${bytes(behind.lag_bytes)} are to be read.`);
  if (p.undelivered_seconds > 60) return warn(`The oldest line waits for ${span(p.undelivered_seconds)}.`, 'InfluxDB is slow, or refuses requests.');
  if (minute.read > 0 && minute.rejected / minute.read > rejects) {
    return warn(`${percent(minute.rejected / minute.read)} of the lines of the last minute were rejected.`, 'See the last ones below.');
  }
  if (p.lines.read === 0) return { state: /** @type {const} */ ('idle'), text: 'Waiting for the first request.', more: '' };
  return null;
}

/** @param {Answer} answer */
function ofTraffic(answer) {
  const slots = answer.live?.slots;
  if (!slots || slots.time.length === 0) return null;
  const many = Math.ceil(60 / slots.step);
  const sum = (/** @type {(number | null)[] | undefined} */ column) => (column ?? []).slice(-many).reduce((/** @type {number} */ all, n) => all + (n ?? 0), 0);
  const requests = sum(slots.requests);
  const failed = sum(slots.classes['5xx']);
  if (failed >= 3 && failed / requests >= failures) return warn(`${percent(failed / requests)} of the requests of the last minute failed (5xx).`, 'See the failing paths.');
  return null;
}
