// Draws the charts of a report, and writes times as they are here. All else stands in the
// page already, and can be read without this.
import { timeChart } from './charts.js';
import { bytes, percent, rate, short, took } from './format.js';

/** @typedef {import('../../page/web/types.d.ts').Slots} Slots */

/** @type {{ slots: Slots }} */
const report = JSON.parse(document.getElementById('report')?.textContent ?? '{}');
const slots = report.slots;

/** @param {number} at in seconds */
function moment(at) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const d = new Date(at * 1000);
  const time = `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
  return slots.step % 60 === 0 ? time : `${time}:${two(d.getSeconds())}`;
}

/** From bottom to top. */
const classes = /** @type {const} */ ([
  ['2xx', '--c2', false],
  ['3xx', '--c3', false],
  ['4xx', '--c4', true],
  ['5xx', '--c5', false],
  ['other', '--c0', false],
]);

/** @param {string} name */
function ofClass(name) {
  return slots.requests.map((n, i) => {
    if (n === null) return null;
    const of = (/** @type {string} */ one) => slots.classes[one]?.[i] ?? 0;
    return (name === 'other' ? of('other') + of('1xx') : of(name)) / slots.step;
  });
}

/** @param {(number | null)[]} column */
const perSecond = (column) => column.map((n) => (n === null ? null : n / slots.step));

/**
 * @typedef {object} Figure
 * @property {string} label
 * @property {string} [colour]
 * @property {boolean} [hatched]
 * @property {(number | null)[]} column
 * @property {(n: number | null) => string} text
 */

/** @type {Record<string, { figures: Figure[], chart: { stacked?: boolean, filled?: boolean, log?: boolean, least?: number, format: (n: number) => string } }>} */
const charts = {
  requests: {
    figures: classes.map(([label, colour, hatched]) => ({ label, colour, hatched, column: ofClass(label), text: rate })),
    chart: { stacked: true, format: short },
  },
  errors: {
    figures: [{ label: '5xx', colour: '--c5', column: slots.requests.map((n, i) => (n ? (slots.classes['5xx']?.[i] ?? 0) / n : null)), text: percent }],
    chart: { filled: true, least: 0.01, format: percent },
  },
  times: {
    figures: [
      { label: 'p50', colour: '--t50', column: slots.p50, text: took },
      { label: 'p95', colour: '--t95', column: slots.p95, text: took },
      { label: 'p99', colour: '--t99', column: slots.p99, text: took },
    ],
    chart: { log: true, format: took },
  },
  bytes: {
    figures: [{ label: 'a second', colour: '--b0', column: perSecond(slots.bytes), text: bytes }],
    chart: { filled: true, format: bytes },
  },
};

/** @param {HTMLElement} panel */
function draw(panel) {
  const { figures, chart } = charts[panel.dataset.chart ?? ''] ?? {};
  const plot = /** @type {HTMLElement | null} */ (panel.querySelector('.plot'));
  const line = panel.querySelector('.figures');
  const when = panel.querySelector('.when');
  if (!figures || !chart || !plot || !line || !when) return null;
  const values = figures.map((f) => {
    const value = document.createElement('b');
    const mark = document.createElement('span');
    mark.className = 'figure';
    const key = document.createElement('i');
    key.className = f.hatched ? 'key hatched' : 'key';
    key.style.setProperty('--key', `var(${f.colour})`);
    mark.append(key, f.label, ' ', value);
    line.append(mark);
    return value;
  });
  const hover = (/** @type {number | null} */ index) => {
    when.textContent = index === null ? '' : moment(slots.time[index]);
    figures.forEach((f, i) => (values[i].textContent = index === null ? '' : f.text(f.column[index] ?? null)));
  };
  const drawn = timeChart(plot, {
    ...chart,
    label: `${panel.querySelector('h2')?.textContent}. The figures of the charts stand in the table below them.`,
    series: figures.map((f) => ({ label: f.label, colour: f.colour ?? '--c0', hatched: f.hatched })),
    sync: 'report',
    hover,
  });
  drawn.set(slots.time, figures.map((f) => f.column), slots.step);
  hover(null);
  return drawn;
}

const drawn = [...document.querySelectorAll('[data-chart]')].map((panel) => draw(/** @type {HTMLElement} */ (panel)));
const repaint = () => drawn.forEach((chart) => chart?.repaint());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
addEventListener('beforeprint', repaint);

for (const row of document.querySelectorAll('[data-share]')) {
  const bar = /** @type {HTMLElement | null} */ (row.querySelector('td.bar'));
  bar?.style.setProperty('--share', `${(Number(row.getAttribute('data-share')) * 100).toFixed(1)}%`);
}
for (const time of document.querySelectorAll('time')) {
  const at = Date.parse(time.dateTime);
  if (!Number.isNaN(at)) {
    time.title = time.textContent ?? '';
    time.textContent = moment(at / 1000);
  }
}
