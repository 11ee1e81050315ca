// The pipeline as it is drawn: three stages, two channels, InfluxDB, and the books.
import { bytes, count, percent, rate, several, span, took } from './format.js';
import { setText } from './tables.js';

/** @typedef {import('./types.d.ts').Pipeline} Pipeline */

/**
 * Figures of one second are those of the time between two answers.
 * @typedef {object} Sample
 * @property {number} at in seconds
 * @property {number} read
 * @property {number} parsed
 * @property {number} written
 * @property {number} rejected
 */

/** @type {Sample[]} of the last minute */
let samples = [];
let pid = 0;

/** Notes an answer, for what is told per second. @param {Pipeline} p */
export function note(p) {
  const { read, written, rejected } = p.lines;
  const last = samples.at(-1);
  // Another process: it may have read more already than the one before.
  if (last && (p.pid !== pid || p.uptime_seconds < last.at || read < last.read)) samples = [];
  pid = p.pid;
  samples.push({ at: p.uptime_seconds, read, parsed: read - p.channels.read.lines, written, rejected });
  while (samples.length > 2 && p.uptime_seconds - samples[0].at > 60) samples.shift();
}

/** What happened in the last minute, or since the page is open. */
export function lastMinute() {
  const [first, last] = [samples[0], samples.at(-1)];
  return first && last ? { read: last.read - first.read, rejected: last.rejected - first.rejected } : { read: 0, rejected: 0 };
}

/** Per second over the last few answers. @param {'parsed' | 'written' | 'rejected'} of */
function perSecond(of) {
  const last = samples.at(-1);
  const before = samples.find((s) => last && last.at - s.at <= 3.5);
  return last && before && last.at > before.at ? (last[of] - before[of]) / (last.at - before.at) : null;
}

/** @param {string} name @param {string} text @param {number | null} value */
export function figure(name, text, value) {
  for (const node of document.querySelectorAll(`[data-figure="${name}"]`)) {
    setText(node, text);
    /** @type {HTMLElement} */ (node).dataset.value = value === null ? '' : String(value);
  }
}

/** @param {string} id @param {string} text */
const write = (id, text) => setText(/** @type {HTMLElement} */ (document.getElementById(id)), text);

/** @param {Pipeline} p */
export function drawPipeline(p) {
  const { lines, sources, channels } = p;
  const [parsed, written] = [perSecond('parsed'), perSecond('written')];
  figure('read_per_second', rate(p.throughput.lines_per_second['1s']), p.throughput.lines_per_second['1s']);
  figure('parsed_per_second', rate(parsed), parsed);
  figure('written_per_second', rate(written), written);
  for (const name of /** @type {const} */ (['read', 'written', 'rejected', 'filtered', 'in_flight'])) figure(name, count(lines[name]), lines[name]);

  const lagBytes = sources.reduce((sum, s) => sum + Math.max(0, s.lag_bytes), 0);
  const lag = sources.reduce((most, s) => Math.max(most, s.lag_seconds), 0);
  const shut = sources.filter((s) => !s.open).length;
  const behind = lagBytes > 0 && lag >= 1 ? `${span(lag)} behind, ${bytes(lagBytes)} unread` : '0 s behind';
  write('stage-read', `${several(sources.length, 'log')}, ${shut > 0 ? `${shut} cannot be read` : behind}`);
  write('stage-parse', `${bytes(p.throughput.bytes_per_second['1s'])}/s, ${several(lines.rejected, 'reject')}`);
  write('stage-write', p.undelivered_seconds >= 1.5 ? `oldest line waits ${span(p.undelivered_seconds)}` : `${several(p.influxdb.batches, 'request')}, ${several(p.influxdb.retries, 'retry', 'retries')}`);
  tone('[data-stage="read"]', shut > 0 ? 'bad' : lag > 10 ? 'warn' : '');
  tone('[data-stage="parse"]', sources.some((s) => s.open && s.trouble) ? 'bad' : '');
  tone('[data-stage="write"]', p.undelivered_seconds > 60 ? 'warn' : '');

  for (const name of /** @type {const} */ (['read', 'write'])) {
    const channel = channels[name];
    const full = channel.capacity > 0 ? channel.length / channel.capacity : 0;
    const place = /** @type {HTMLElement} */ (document.querySelector(`[data-channel="${name}"]`));
    place.style.setProperty('--full', percentOf(full));
    place.dataset.full = String(full);
    place.title = `${channel.length} of ${channel.capacity} places are taken (${percent(full)}), with ${bytes(channel.bytes)}`;
    figure(`channel_${name}_lines`, count(channel.lines), channel.lines);
  }
  drawStore(p);
  write('foot', `tailflux ${p.version}, up ${span(p.uptime_seconds)}, ${bytes(p.memory_bytes)} of memory`);
}

/** @param {number} part */
const percentOf = (part) => `${(Math.min(1, part) * 100).toFixed(1)}%`;

/** @param {Pipeline} p */
function drawStore(p) {
  const db = p.influxdb;
  const state = db.up ? 'up' : db.last_error ? 'away' : 'unknown';
  const place = /** @type {HTMLElement} */ (document.querySelector('[data-stage="influxdb"]'));
  place.dataset.state = state;
  place.dataset.outage = String(db.outage_seconds);
  write('influxdb-state', state === 'up' ? 'up' : state === 'away' ? `away ${span(db.outage_seconds)}` : 'no answer yet');
  const times = db.batches > 0 ? `p50 ${took(db.request_seconds.p50)}, p99 ${took(db.request_seconds.p99)}` : '';
  write('influxdb-version', state === 'up' ? db.version : '');
  write('influxdb-more', state === 'away' ? db.last_error : times || '–');
  tone('[data-stage="influxdb"]', state === 'away' ? 'bad' : '');
}

/** @param {string} selector @param {string} tone */
function tone(selector, tone) {
  /** @type {HTMLElement} */ (document.querySelector(selector)).dataset.tone = tone;
}
