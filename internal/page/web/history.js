// The view History: hours to years, from InfluxDB. The address says what is asked, so a link
// to it shows the same.
import { bytes, changed, count, none, percent, rareRate as rate, sentence, short, took, tookShort } from './format.js';
import { drawStrips } from './observed.js';
import { chartPanel } from './panels.js';
import { element, plain, setText, table } from './tables.js';
import { calendar, iso, length, localInput } from './when.js';

/**
 * @typedef {import('./types.d.ts').Row} Row
 * @typedef {import('./types.d.ts').History} History
 * @typedef {import('./types.d.ts').Course} Course
 */

const ranges = ['1h', '6h', '24h', '7d', '30d', '90d', '1y'];
const before = { '1h': 'the hour before', '6h': 'the 6 hours before', '24h': 'the day before', '7d': 'the week before', '30d': 'the 30 days before', '90d': 'the 90 days before', '1y': 'the year before' };
const filters = ['class', 'path', 'host', 'source'];
const parameters = ['range', 'from', 'to', ...filters];

/** What is asked, as the address has it. */
let asked = new URLSearchParams();
/** @type {History | null} */
let is = null;
/** The question that it answers. */
let answers = '';
/** @type {AbortController | null} */
let asking = null;
const patience = 40_000; // ms until nothing answers; the daemon itself takes 30 s at most
let seen = false;
/** @type {number | undefined} */
let timer;

/** The same question with some parameters others; null removes one. @param {Record<string, string | null>} changes */
function otherwise(changes) {
  const next = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name);
    else next.set(name, value);
  }
  return next;
}

/** @param {Record<string, string | null>} changes */
const link = (changes) => '#history?' + otherwise(changes);

// Index beyond the last bucket: the whole range.
/** @param {(s: Course, i: number) => number | null | undefined} of @param {(h: History) => number | null} whole */
const value = (of, whole) => (/** @type {number} */ i) => (is ? (i < is.series.time.length ? (of(is.series, i) ?? null) : whole(is)) : null);

/** @param {Course} s @param {number} i @param {number | null} n */
const perSecond = (s, i, n) => (n === null ? null : n / s.seconds[i]);
const whole = (/** @type {History} */ h) => h.series.seconds.reduce((sum, n) => sum + n, 0);
/** @param {Course} s @param {number} i @param {string} name */
function ofClass(s, i, name) {
  if (s.requests[i] === null) return null;
  const n = (/** @type {string} */ one) => s.classes[one]?.[i] ?? 0;
  return perSecond(s, i, name === 'other' ? n('other') + n('1xx') : n(name));
}
/** @param {History} h @param {string} name */
const ofClassWhole = (h, name) => (h.series.classes[name] ?? []).reduce((sum, n) => sum + n, 0) / whole(h);
/** @param {Course} s @param {number} i */
const clientShare = (s, i) => (s.requests[i] ? (s.classes['4xx']?.[i] ?? 0) / /** @type {number} */ (s.requests[i]) : null);

const classes = /** @type {const} */ ([['2xx', '--c2', false], ['3xx', '--c3', false], ['4xx', '--c4', true], ['5xx', '--c5', false], ['other', '--c0', false]]);
const earlier = { label: 'before', colour: '--soft', faint: true };
const common = { when: calendar, nothing: none };
const zoom = (/** @type {number} */ from, /** @type {number} */ to) => {
  if (to - from < 60) return;
  location.hash = link({ range: null, from: iso(from), to: iso(to) });
};
const perCent = (/** @type {number | null} */ n) => percent(n);

/** @type {[string, string, import('./panels.js').Spec, (s: Course, b: Course, every: number[]) => (number | null)[][]][]} */
const specs = [
  ['requests', 'requests', {
    id: 'history-requests', title: 'Requests per second', ...common,
    figures: [
      { name: 'history_requests_per_second', label: '', main: true, value: value((s, i) => perSecond(s, i, s.requests[i]), (h) => h.total.requests / whole(h)), text: rate },
      ...classes.slice(0, 4).map(([name, colour, hatched]) => ({ name: `history_class_${name}_per_second`, label: name, colour, hatched, value: value((s, i) => ofClass(s, i, name), (h) => ofClassWhole(h, name)), text: rate })),
    ],
    chart: { series: [earlier, ...classes.map(([label, colour, hatched]) => ({ label, colour, hatched }))], stacked: true, format: short, sync: 'history', select: zoom },
    heads: ['requests/s', ...classes.map(([name]) => name), 'before'],
    row: (i) => (is ? [perSecond(is.series, i, is.series.requests[i]), ...classes.map(([name]) => ofClass(/** @type {History} */ (is).series, i, name)), perSecond(is.previous.series, i, is.previous.series.requests[i])] : []),
    cell: rate,
  }, (s, b, every) => {
    const known = Object.keys(s.classes).length > 0;
    return [every.map((i) => perSecond(b, i, b.requests[i])), ...classes.map(([name]) => every.map((i) => (known ? ofClass(s, i, name) : name === 'other' ? perSecond(s, i, s.requests[i]) : null)))];
  }],
  ['times', 'times', {
    id: 'history-times', title: 'Time of requests', ...common,
    figures: [
      { name: 'history_p50', label: 'p50', colour: '--t50', value: value((s, i) => s.p50[i], (h) => h.total.p50), text: took },
      { name: 'history_p95', label: 'p95', colour: '--t95', main: true, value: value((s, i) => s.p95[i], (h) => h.total.p95), text: took },
      { name: 'history_p99', label: 'p99', colour: '--t99', value: value((s, i) => s.p99[i], (h) => h.total.p99), text: took },
    ],
    chart: { series: [{ ...earlier, label: 'p95 before' }, { label: 'p50', colour: '--t50' }, { label: 'p95', colour: '--t95' }, { label: 'p99', colour: '--t99' }], log: true, least: 0.001, format: tookShort, sync: 'history', select: zoom },
    heads: ['p50', 'p95', 'p99', 'p95 before'],
    row: (i) => (is ? [is.series.p50[i], is.series.p95[i], is.series.p99[i], is.previous.series.p95[i]] : []),
    cell: took,
  }, (s, b) => [b.p95, s.p50, s.p95, s.p99]],
  ['errors', 'errors', {
    id: 'history-errors', title: 'Share of errors', ...common,
    figures: [
      { name: 'history_error_share', label: '5xx', colour: '--c5', main: true, value: value((s, i) => s.error_share[i], (h) => (h.total.requests ? h.total.server_errors / h.total.requests : null)), text: perCent },
      { name: 'history_client_error_share', label: '4xx', colour: '--c4', value: value(clientShare, (h) => (h.total.requests ? h.total.client_errors / h.total.requests : null)), text: perCent },
    ],
    chart: { series: [{ ...earlier, label: '5xx before' }, { label: '4xx', colour: '--c4' }, { label: '5xx', colour: '--c5' }], least: 0.01, format: (n) => `${short(n * 100)} %`, sync: 'history', select: zoom },
    heads: ['4xx', '5xx', '5xx before'],
    row: (i) => (is ? [clientShare(is.series, i), is.series.error_share[i], is.previous.series.error_share[i]] : []),
    cell: perCent,
  }, (s, b, every) => [b.error_share, every.map((i) => clientShare(s, i)), s.error_share]],
  ['bytes', 'bytes', {
    id: 'history-bytes', title: 'Bytes sent per second', ...common,
    figures: [{ name: 'history_bytes_per_second', label: '', main: true, value: value((s, i) => perSecond(s, i, s.bytes[i]), (h) => h.total.bytes / whole(h)), text: bytes }],
    chart: { series: [{ label: 'bytes', colour: '--b0' }, earlier], filled: true, least: 1000, format: bytes, sync: 'history', select: zoom },
    heads: ['bytes/s', 'before'],
    row: (i) => (is ? [perSecond(is.series, i, is.series.bytes[i]), perSecond(is.previous.series, i, is.previous.series.bytes[i])] : []),
    cell: bytes,
  }, (s, b, every) => [every.map((i) => perSecond(s, i, s.bytes[i])), every.map((i) => perSecond(b, i, b.bytes[i]))]],
];
const charts = specs.map(([of, , spec, columns]) => ({ of, columns, ...chartPanel(spec) }));

/** @type {Record<string, number>} the greatest of each list, for the bars */
const most = {};
const share = (/** @type {number} */ part, /** @type {number} */ of) => (of > 0 ? part / of : 0);
const failed = (/** @type {Row} */ r) => share(r.server_errors, r.requests);
const numbers = {
  requests: (/** @type {string} */ id) => ({ head: 'Requests', kind: 'n bar', text: (/** @type {Row} */ r) => count(r.requests), share: (/** @type {Row} */ r) => share(r.requests, most[id]) }),
  errors: { head: '5xx', kind: 'n', text: (/** @type {Row} */ r) => percent(failed(r)), tone: (/** @type {Row} */ r) => (failed(r) >= 0.05 ? 'bad' : '') },
  mean: { head: 'Mean', kind: 'n', text: (/** @type {Row} */ r) => took(r.mean) },
  p95: { head: 'p95', kind: 'n', text: (/** @type {Row} */ r) => took(r.p95) },
};
/** @param {string} of @param {string} title @param {string} head @param {string} filter "": its names lead nowhere @param {import('./tables.js').Column<Row>[]} columns @param {string} [empty] */
const list = (of, title, head, filter, columns, empty) => ({
  of,
  ...table({
    id: 'history-' + of, title, empty, key: (/** @type {Row} */ r) => r.name,
    columns: [{ head, kind: 'name', text: (r) => r.name || '(none)', title: (r) => r.name, link: filter ? (r) => link({ [filter]: r.name }) : undefined }, ...columns],
  }),
});
const lists = [
  list('paths', 'Top paths', 'Path', 'path', [numbers.requests('paths'), numbers.errors, numbers.mean]),
  list('failing', 'Failing paths', 'Path', 'path', [
    { head: '5xx', kind: 'n bar', text: (r) => count(r.server_errors), share: (r) => share(r.server_errors, most.failing) },
    { head: 'Share', kind: 'n', text: (r) => percent(failed(r)), tone: (r) => (failed(r) >= 0.05 ? 'bad' : '') },
    { head: 'Requests', kind: 'n', text: (r) => count(r.requests) },
  ], 'No path has answered with 5xx.'),
  list('slowest', 'Slowest paths', 'Path', 'path', [
    { head: 'Mean', kind: 'n bar', text: (r) => took(r.mean), share: (r) => share(r.mean ?? 0, most.slowest) },
    numbers.p95,
    { head: 'Requests', kind: 'n', text: (r) => count(r.requests) },
  ], 'No path had ten requests with a time.'),
  list('hosts', 'Hosts', 'Host', 'host', [numbers.requests('hosts'), numbers.errors, numbers.p95]),
  list('sources', 'Sources', 'Source', 'source', [numbers.requests('sources'), numbers.errors, numbers.p95]),
  list('statuses', 'Statuses', 'Status', '', [numbers.requests('statuses')]),
];

/** @type {Record<string, HTMLElement>} */
const parts = {};

/** Puts the view into its element. @param {HTMLElement} place */
export function mountHistory(place) {
  parts.ranges = element('nav', { class: 'ranges', 'aria-label': 'Range' });
  parts.classes = element('div', { class: 'ranges', role: 'group', 'aria-label': 'Class of status' });
  parts.from = element('input', { type: 'datetime-local', id: 'history-from', 'aria-label': 'From' });
  parts.to = element('input', { type: 'datetime-local', id: 'history-to', 'aria-label': 'To' });
  const form = element('form', { class: 'between' }, parts.from, '–', parts.to, element('button', {}, 'Show'));
  form.addEventListener('submit', between);
  parts.chips = element('div', { class: 'chips', role: 'group', 'aria-label': 'Filters' });
  parts.said = element('p', { class: 'note', id: 'history-said', role: 'status' });
  parts.totals = element('p', { class: 'totals', id: 'history-totals' });
  parts.charts = element('div', { class: 'charts' }, ...charts.map((c) => withLinks(c.panel, c.of)));
  parts.strips = element('section', { class: 'panel strips', 'aria-labelledby': 'history-observed-title', 'data-chart': 'history-observed' });
  parts.tables = element('div', { class: 'tables' }, ...lists.map((l) => withLinks(l.panel, l.of)));
  parts.notes = element('p', { class: 'small quiet', id: 'history-notes' });
  parts.shown = element('div', { id: 'history-shown' }, parts.totals, parts.charts, parts.strips, parts.tables, parts.notes);
  place.replaceChildren(element('div', { class: 'asked' }, parts.ranges, parts.classes, form, parts.chips), parts.said, parts.shown);
  document.addEventListener('visibilitychange', again);
}

/** @param {HTMLElement} panel @param {string} of */
function withLinks(panel, of) {
  const links = ['csv', 'json'].map((format) => element('a', { 'data-of': of, 'data-format': format, 'aria-label': `${of} as ${format.toUpperCase()}` }, format.toUpperCase()));
  panel.querySelector('header')?.append(element('span', { class: 'get small' }, ...links));
  return panel;
}

/** @param {Event} event */
function between(event) {
  event.preventDefault();
  const at = (/** @type {'from' | 'to'} */ name) => {
    const text = /** @type {HTMLInputElement} */ (parts[name]).value;
    if (is && text === localInput(is[name])) return is[name]; // in an hour that comes twice, the text alone does not say which
    const parsed = Date.parse(text) / 1000;
    return Number.isFinite(parsed) ? iso(parsed) : null;
  };
  const [from, to] = [at('from'), at('to')];
  if (from) location.hash = link({ range: null, from, to });
}

/** Shows what the part of the URL behind #history? asks for. @param {URLSearchParams} query */
export function showHistory(query) {
  const next = new URLSearchParams();
  for (const name of parameters) {
    const given = query.get(name);
    if (given !== null) next.set(name, given);
  }
  if (!next.has('range') && !next.has('from') && !next.has('to')) next.set('range', '24h');
  const same = seen && String(next) === String(asked);
  asked = next;
  seen = true;
  drawAsked();
  if (!same) void ask();
}

/** The view is no longer seen. */
export function hideHistory() {
  seen = false;
  clearTimeout(timer);
  asking?.abort();
  asking = null;
}

/** The colours have changed. */
export function repaintHistory() {
  for (const chart of charts) chart.repaint();
}

function again() {
  clearTimeout(timer);
  if (seen && !document.hidden) void ask();
}

/** Asks, and asks again as often as there is something new. */
async function ask() {
  asking?.abort();
  clearTimeout(timer);
  const mine = (asking = new AbortController());
  const query = String(asked);
  parts.shown.hidden = is === null;
  parts.shown.classList.toggle('old', answers !== query);
  if (answers !== query) {
    parts.said.dataset.state = 'ok';
    setText(parts.said, 'InfluxDB is asked…');
  }
  const late = setTimeout(() => mine.abort(), patience);
  /** @type {[History | null, string]} */
  let [answer, trouble] = [null, ''];
  try {
    const response = await fetch('history?' + query, { signal: mine.signal });
    if (response.status === 401) trouble = 'The token is asked for again: load the page once more.';
    else {
      const body = await response.json();
      if (response.ok) answer = body;
      else trouble = sentence(body.error);
    }
  } catch {
    trouble = 'The daemon does not answer. The page asks again by itself.';
  }
  clearTimeout(late);
  if (asking !== mine || query !== String(asked)) return;
  if (answer) {
    is = answer;
    answers = query;
    draw(answer);
  } else if (answers !== query) is = null;
  parts.said.dataset.state = answer ? 'ok' : 'trouble';
  setText(parts.said, answer ? empty(answer) : trouble + (is ? ' What is shown is older.' : ''));
  parts.shown.hidden = is === null;
  parts.shown.classList.toggle('old', answer === null);
  const every = !answer ? 15 : Math.min(Math.max(answer.series.step / 4, 10), 300);
  if (!answer || !asked.has('to')) timer = setTimeout(again, every * 1000);
}

/** @param {History} h */
function empty(h) {
  if (h.total.requests > 0) return '';
  if (h.missing.series) return sentence(h.missing.series);
  const filtered = Object.keys(h.filters).length > 0;
  return filtered ? 'No request of this time is as the filters say: take one away, or choose a longer time.' : 'InfluxDB has no requests of this time: choose a longer one, or wait until the first lines are delivered.';
}

/** What is asked: ranges, classes and filters. */
function drawAsked() {
  parts.ranges.replaceChildren(...ranges.map((range) => {
    const one = element('a', { href: link({ range, from: null, to: null }) }, range);
    if (asked.get('range') === range) one.setAttribute('aria-current', 'true');
    return one;
  }));
  parts.classes.replaceChildren(...['2xx', '3xx', '4xx', '5xx'].map((name) => {
    const on = asked.get('class') === name;
    const one = element('a', { href: link({ class: on ? null : name }), 'data-class': name, 'aria-label': on ? `All classes of status, not ${name} alone` : `Status ${name} alone` }, name);
    if (on) one.setAttribute('aria-current', 'true');
    return one;
  }));
  parts.chips.replaceChildren(...filters.filter((name) => asked.has(name)).map((name) => {
    const text = plain(asked.get(name) ?? '') || '(none)';
    return element('a', { class: 'chip', href: link({ [name]: null }), 'data-filter': name, title: 'Take this filter away', 'aria-label': `Take away the filter ${name} ${text}` },
      element('span', { class: 'quiet' }, name), ' ', element('b', {}, text), element('span', { 'aria-hidden': 'true' }, ' ×'));
  }));
  for (const one of parts.shown.querySelectorAll('[data-of]')) {
    const { of = '', format = '' } = /** @type {HTMLElement} */ (one).dataset;
    one.setAttribute('href', 'history?' + otherwise({ of, format }));
  }
}

/** @param {History} h */
function draw(h) {
  const s = h.series;
  const every = s.time.map((_, i) => i);
  const unobserved = every.map((i) => (s.observed[i] === null ? false : /** @type {number} */ (s.observed[i]) < 1));
  parts.shown.hidden = false; // before charts are made: they are as large as their place
  for (const chart of charts) chart.set(s.time, chart.columns(s, h.previous.series, every), s.step, s.time.length, unobserved);
  for (const one of lists) {
    const rows = h.tables[one.of] ?? [];
    const by = (/** @type {Row} */ r) => (one.of === 'failing' ? r.server_errors : one.of === 'slowest' ? (r.mean ?? 0) : r.requests);
    most[one.of] = rows.reduce((greatest, r) => Math.max(greatest, by(r)), 0);
    one.set(rows);
    one.panel.hidden = one.of in h.missing;
  }
  drawTotals(h);
  drawStrips(parts.strips, h);
  /** @type {HTMLInputElement} */ (parts.from).value = localInput(h.from);
  /** @type {HTMLInputElement} */ (parts.to).value = localInput(h.to);
  const names = [...new Set(Object.values(h.rollups))].join(', ');
  const missing = Object.entries(h.missing).filter(([part]) => part !== 'series').map(([part, why]) => ` No ${part}: ${why}.`).join('');
  setText(parts.notes, `From ${names}; a step is ${length(s.step)}. Dashed: ${earlierName()}. Drag over a chart to look closer.${missing}`);
  drawAsked();
}

const earlierName = () => before[/** @type {keyof typeof before} */ (asked.get('range'))] ?? 'as long a time before';

/** @param {History} h */
function drawTotals(h) {
  const [now, was] = [h.total, h.previous.total];
  /** @param {string} name @param {number | null} n @param {number | null} b @param {(n: number | null) => string} text @param {string} label */
  const one = (name, n, b, text, label) => {
    const figure = element('b', { 'data-figure': 'history_total_' + name, 'data-value': n === null ? '' : String(n) }, text(n));
    const change = n !== null && b ? (n - b) / b : null;
    return element('span', {}, figure, ` ${label}`, change === null ? '' : ` (${changed(change)})`);
  };
  parts.totals.replaceChildren(
    one('requests', now.requests, was.requests, count, 'requests'), one('server_errors', now.server_errors, was.server_errors, count, 'failed (5xx)'),
    one('client_errors', now.client_errors, was.client_errors, count, 'client errors (4xx)'), one('bytes', now.bytes, was.bytes, bytes, 'sent'),
    one('p95', now.p95, was.p95, took, 'p95'),
    element('span', {}, `${calendar(new Date(h.from), 60)} – ${calendar(new Date(h.to), 60)}, beside ${earlierName()}`),
  );
}
