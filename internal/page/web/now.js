// The view Now: what the stream says, once a second.
import { bytes, count, none, percent, rate, short, several, span, took, tookShort } from './format.js';
import { chartPanel } from './panels.js';
import { drawPipeline, figure } from './pipeline.js';
import { drawRejects } from './rejects.js';
import { setText, table } from './tables.js';
import { offerSources } from './tail.js';

/**
 * @typedef {import('./types.d.ts').Answer} Answer
 * @typedef {import('./types.d.ts').Row} Row
 * @typedef {import('./types.d.ts').Slots} Slots
 * @typedef {import('./types.d.ts').Source} Source
 */

/** @type {Slots} */
let slots = { step: 5, time: [], requests: [], bytes: [], classes: {}, p50: [], p95: [], p99: [] };

/** From bottom to top; the rest is told apart by its place and its pattern, not by colour alone. */
const classes = /** @type {const} */ ([
  ['2xx', '--c2', false],
  ['3xx', '--c3', false],
  ['4xx', '--c4', true],
  ['5xx', '--c5', false],
  ['other', '--c0', false],
]);

/** @param {string} name @param {number} i */
function ofClass(name, i) {
  if (slots.requests[i] === null) return null;
  const of = (/** @type {string} */ one) => slots.classes[one]?.[i] ?? 0;
  return (name === 'other' ? of('other') + of('1xx') : of(name)) / slots.step;
}

/** @param {(number | null)[]} column @param {number} i */
const perSecond = (column, i) => {
  const n = column[i];
  return n === null || n === undefined ? null : n / slots.step;
};

/** The share of requests of a class. @param {string} name @param {number} i */
function share(name, i) {
  const all = slots.requests[i];
  if (all === null || all === undefined) return null;
  return all === 0 ? 0 : (slots.classes[name]?.[i] ?? 0) / all;
}

const perCent = (/** @type {number | null} */ n) => percent(n);

const charts = {
  requests: chartPanel({
    id: 'requests',
    title: 'Requests per second',
    figures: [
      { name: 'requests_per_second', label: '', main: true, value: (i) => perSecond(slots.requests, i), text: rate },
      ...classes.slice(0, 4).map(([name, colour, hatched]) => ({
        name: `class_${name}_per_second`, label: name, colour, hatched, value: (/** @type {number} */ i) => ofClass(name, i), text: rate,
      })),
    ],
    chart: { series: classes.map(([label, colour, hatched]) => ({ label, colour, hatched })), stacked: true, least: 1, format: short, sync: 'now' },
    heads: ['requests/s', ...classes.map(([name]) => name)],
    row: (i) => [perSecond(slots.requests, i), ...classes.map(([name]) => ofClass(name, i))],
    cell: rate,
  }),
  times: chartPanel({
    id: 'times',
    title: 'Time of requests',
    figures: [
      { name: 'p50', label: 'p50', colour: '--t50', value: (i) => slots.p50[i] ?? null, text: took },
      { name: 'p95', label: 'p95', colour: '--t95', main: true, value: (i) => slots.p95[i] ?? null, text: took },
      { name: 'p99', label: 'p99', colour: '--t99', value: (i) => slots.p99[i] ?? null, text: took },
    ],
    chart: {
      series: [{ label: 'p50', colour: '--t50' }, { label: 'p95', colour: '--t95' }, { label: 'p99', colour: '--t99' }],
      log: true, least: 0.001, format: tookShort, sync: 'now',
    },
    heads: ['p50', 'p95', 'p99'],
    row: (i) => [slots.p50[i], slots.p95[i], slots.p99[i]],
    cell: took,
    nothing: none,
  }),
  errors: chartPanel({
    id: 'errors',
    title: 'Share of errors',
    figures: [
      { name: 'error_share', label: '5xx', colour: '--c5', main: true, value: (i) => share('5xx', i), text: perCent },
      { name: 'client_error_share', label: '4xx', colour: '--c4', value: (i) => share('4xx', i), text: perCent },
    ],
    chart: { series: [{ label: '4xx', colour: '--c4' }, { label: '5xx', colour: '--c5' }], least: 0.01, format: (n) => `${short(n * 100)} %`, sync: 'now' },
    heads: ['4xx', '5xx'],
    row: (i) => [share('4xx', i), share('5xx', i)],
    cell: perCent,
  }),
  bytes: chartPanel({
    id: 'bytes',
    title: 'Bytes sent per second',
    figures: [{ name: 'bytes_per_second', label: '', main: true, value: (i) => perSecond(slots.bytes, i), text: bytes }],
    chart: { series: [{ label: 'bytes', colour: '--b0' }], filled: true, least: 1000, format: bytes, sync: 'now' },
    heads: ['bytes/s'],
    row: (i) => [perSecond(slots.bytes, i)],
    cell: bytes,
  }),
};

/** @type {Record<string, number>} the greatest of each list, for the bars */
const most = {};

/** @param {Row} r */
const errorShare = (r) => (r.requests > 0 ? (r.client_errors + r.server_errors) / r.requests : 0);
/** @param {Row} r */
const failed = (r) => (r.requests > 0 ? r.server_errors / r.requests : 0);
const name = (/** @type {string} */ head) => ({ head, kind: 'name', text: (/** @type {Row} */ r) => r.name || '(empty)', title: (/** @type {Row} */ r) => r.name });
const requests = (/** @type {string} */ list) => ({ head: 'Requests', kind: 'n bar', text: (/** @type {Row} */ r) => count(r.requests), share: (/** @type {Row} */ r) => r.requests / (most[list] || 1) });
const errors = { head: 'Errors', kind: 'n', text: (/** @type {Row} */ r) => percent(errorShare(r)), tone: (/** @type {Row} */ r) => (failed(r) >= 0.05 ? 'bad' : errorShare(r) >= 0.2 ? 'warn' : '') };
const p95 = { head: 'p95', kind: 'n', text: (/** @type {Row} */ r) => took(r.p95) };
const mean = { head: 'Mean', kind: 'n', text: (/** @type {Row} */ r) => took(r.mean) };
const sent = { head: 'Sent', kind: 'n', text: (/** @type {Row} */ r) => bytes(r.bytes) };

/** @param {string} id @param {string} title @param {string} head @param {import('./tables.js').Column<Row>[]} columns @param {string} [empty] */
const list = (id, title, head, columns, empty) => table({ id, title, empty, key: (r) => r.name, columns: [name(head), ...columns] });

const lists = {
  paths: list('paths', 'Top paths', 'Path', [requests('paths'), errors, p95]),
  failing: list('failing', 'Failing paths', 'Path', [
    { head: '5xx', kind: 'n bar', text: (r) => count(r.server_errors), share: (r) => r.server_errors / (most.failing || 1) },
    { head: 'Share', kind: 'n', text: (r) => percent(failed(r)), tone: (r) => (failed(r) >= 0.05 ? 'bad' : '') },
    { head: 'Requests', kind: 'n', text: (r) => count(r.requests) },
  ], 'No path has answered with 5xx.'),
  slowest: list('slowest', 'Slowest paths', 'Path', [
    { head: 'p95', kind: 'n bar', text: (r) => took(r.p95), share: (r) => (r.p95 ?? 0) / (most.slowest || 1) },
    mean,
    { head: 'Requests', kind: 'n', text: (r) => count(r.requests) },
  ], 'The log has no times of requests: docs/log-formats.md says how it gets them.'),
  clients: list('clients', 'Clients', 'Network', [requests('clients'), errors, sent]),
  agents: list('agents', 'Agents', 'Agent', [requests('agents'), errors]),
  bots: list('bots', 'Bots', 'Agent', [requests('bots'), errors], 'No agent says that it is one.'),
  hosts: list('hosts', 'Hosts', 'Host', [requests('hosts'), errors, mean]),
  referrers: list('referrers', 'Referrers', 'From', [requests('referrers')]),
  statuses: list('statuses', 'Statuses', 'Status', [requests('statuses'), sent]),
};

/** @type {Map<string, number>} requests of a source in the window */
let bySource = new Map();
/** Of a source that is not there: 0, unless there are more than are kept. */
let ofOthers = /** @type {number | null} */ (0);
const sources = table({
  id: 'sources',
  title: 'Sources',
  key: (/** @type {Source} */ s) => s.name,
  columns: [
    { head: 'Source', kind: 'name', text: (s) => s.name, title: (s) => s.path },
    { head: 'Requests', kind: 'n', text: (s) => count(bySource.get(s.name) ?? ofOthers) },
    { head: 'Behind', kind: 'n', text: (s) => (s.lag_bytes > 0 ? span(s.lag_seconds) : '0 s'), tone: (s) => (s.lag_seconds > 10 ? 'warn' : '') },
    { head: 'Unread', kind: 'n', text: (s) => bytes(Math.max(0, s.lag_bytes)) },
    { head: 'State', text: (s) => s.trouble || 'open', title: (s) => s.trouble ?? '', tone: (s) => (s.trouble ? 'bad' : '') },
  ],
});

/** Puts the view into the page. */
export function mountNow() {
  document.getElementById('charts')?.append(charts.requests.panel, charts.times.panel, charts.errors.panel, charts.bytes.panel);
  const order = [lists.paths, lists.failing, lists.slowest, lists.clients, lists.agents, lists.bots, lists.statuses, lists.referrers, sources, lists.hosts];
  document.getElementById('tables')?.append(...order.map((t) => t.panel));
}

/** @param {Answer} answer */
export function drawNow(answer) {
  if (answer.pipeline) {
    drawPipeline(answer.pipeline);
    bySource = new Map((answer.live?.top.sources ?? []).map((r) => [r.name, r.requests]));
    ofOthers = answer.live?.top.full.includes('sources') ? null : 0;
    sources.set(answer.pipeline.sources);
    offerSources(answer.pipeline.sources.map((s) => s.name));
  }
  drawRejects(answer.rejects);
  const off = /** @type {HTMLElement} */ (document.getElementById('live-off'));
  off.hidden = answer.live !== null;
  for (const id of ['charts', 'tables', 'tail', 'totals']) /** @type {HTMLElement} */ (document.getElementById(id)).classList.toggle('off', answer.live === null);
  if (answer.live) drawLive(answer.live);
}

/** @param {import('./types.d.ts').Snapshot} live */
function drawLive(live) {
  slots = cut(live.slots, ...shownSlots(live));
  const last = slots.requests.findLastIndex((n) => n !== null);
  const every = slots.time.map((_, i) => i);
  const unobserved = slots.requests.map((n) => n === null); // where it was quiet there are no times, and yet it was looked at
  charts.requests.set(slots.time, classes.map(([name]) => every.map((i) => ofClass(name, i))), slots.step, last, unobserved);
  charts.times.set(slots.time, [slots.p50, slots.p95, slots.p99], slots.step, last, unobserved);
  charts.errors.set(slots.time, [every.map((i) => share('4xx', i)), every.map((i) => share('5xx', i))], slots.step, last, unobserved);
  charts.bytes.set(slots.time, [every.map((i) => perSecond(slots.bytes, i))], slots.step, last, unobserved);

  const { top, total } = live;
  for (const [id, one] of Object.entries(lists)) {
    const rows = top[/** @type {import('./types.d.ts').TopList} */ (id)] ?? [];
    const by = (/** @type {Row} */ r) => (id === 'failing' ? r.server_errors : id === 'slowest' ? (r.p95 ?? 0) : r.requests);
    most[id] = rows.reduce((greatest, r) => Math.max(greatest, by(r)), 0);
    one.set(rows, total.requests === 0 ? 'None.' : undefined); // without requests nothing is known of the log
    if (id === 'hosts' || id === 'referrers') one.panel.hidden = rows.length === 0; // many logs do not say
  }
  for (const name of /** @type {const} */ (['requests', 'client_errors', 'server_errors', 'bytes'])) figure(`total_${name}`, name === 'bytes' ? bytes(total[name]) : count(total[name]), total[name]);
  const minutes = Math.round((live.slots.time.length * live.slots.step) / 60);
  const sampled = top.sampled > 1 ? ` Lists are of one line in ${count(top.sampled)}, multiplied.` : '';
  setText(
    /** @type {HTMLElement} */ (document.getElementById('totals-note')),
    live.slots.time.length === 0 ? none : `of the last ${several(minutes, 'minute')}.${sampled}`,
  );
}

const least = 120; // seconds that are shown, though nothing was observed in some of them

/**
 * From which slot on, and to which. The one that is being filled would look like a fall; and
 * what was before tailflux is there is not shown while there is little else.
 * @param {import('./types.d.ts').Snapshot} live
 * @returns {[number, number]}
 */
function shownSlots(live) {
  const { time, step, requests } = live.slots;
  const at = Date.parse(live.at) / 1000;
  let n = time.length;
  while (n > 0 && time[n - 1] + step > at) n--;
  const first = requests.findIndex((r) => r !== null);
  return [Math.max(0, Math.min(first < 0 ? n : first, n - Math.ceil(least / step))), n];
}

/** @param {Slots} s @param {number} from @param {number} n @returns {Slots} */
function cut(s, from, n) {
  return {
    step: s.step,
    time: s.time.slice(from, n),
    requests: s.requests.slice(from, n),
    bytes: s.bytes.slice(from, n),
    classes: Object.fromEntries(Object.entries(s.classes).map(([name, column]) => [name, column.slice(from, n)])),
    p50: s.p50.slice(from, n),
    p95: s.p95.slice(from, n),
    p99: s.p99.slice(from, n),
  };
}

export function repaintNow() {
  for (const chart of Object.values(charts)) chart.repaint();
}
