// A panel with a chart: its title, the figures of now or of the slot under the cursor, the
// chart, and the same values as a table.
import { timeChart } from './charts.js';
import { clock, minute, none } from './format.js';
import { element, setText } from './tables.js';

/**
 * @typedef {object} Figure
 * @property {string} name of data-figure
 * @property {string} label
 * @property {string} [colour] a custom property: that of the series it is about
 * @property {boolean} [hatched] as the series is
 * @property {(index: number) => number | null} value of a slot
 * @property {(n: number | null) => string} text
 * @property {boolean} [main] it is large
 *
 * @typedef {object} Spec
 * @property {string} id
 * @property {string} title
 * @property {Figure[]} figures
 * @property {Omit<import('./charts.js').Options, 'hover' | 'label'>} chart
 * @property {(index: number) => (number | null)[]} row of the table behind, of a minute's or a slot's values
 * @property {string[]} heads of that table
 * @property {(n: number | null, column: number) => string} cell
 * @property {(at: Date, step: number) => string} [when] how times are written; without it of a day
 * @property {string} [nothing] stands in the table for what is null
 */

/** @param {Spec} spec */
export function chartPanel(spec) {
  const title = element('h2', { id: `chart-${spec.id}-title` }, spec.title);
  const when = element('span', { class: 'when' });
  const marks = spec.figures.map((f) => {
    const value = element('b', { 'data-figure': f.name }, none);
    const mark = element('span', { class: f.main ? 'figure main' : 'figure' });
    if (f.colour) {
      const key = element('i', { class: f.hatched ? 'key hatched' : 'key', 'aria-hidden': 'true' });
      key.style.setProperty('--key', `var(${f.colour})`);
      mark.append(key);
    }
    if (f.label) mark.append(element('span', {}, f.label), ' ');
    mark.append(value);
    return { figure: f, value, mark };
  });
  const plot = element('div', { class: 'plot' });
  const behind = /** @type {HTMLDetailsElement} */ (element('details', { class: 'behind' }));
  const body = element('tbody');
  const grid = element(
    'table',
    { 'aria-labelledby': `chart-${spec.id}-title`, 'data-table': `chart-${spec.id}` },
    element('thead', {}, element('tr', {}, element('th', { scope: 'col' }, 'From'), ...spec.heads.map((head) => element('th', { scope: 'col', class: 'n' }, head)))),
    body,
  );
  behind.append(element('summary', { 'aria-label': `${spec.title} as a table` }, 'Table'), element('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Values: ${spec.title}` }, grid));
  const panel = element(
    'section',
    { class: 'panel chart', 'data-chart': spec.id, 'aria-labelledby': title.id },
    element('header', {}, title, when, behind),
    element('p', { class: 'figures' }, ...marks.map((m) => m.mark)),
    plot,
  );

  /** @type {number[]} */
  let times = [];
  let step = 1;
  const written = (/** @type {number} */ at) => (spec.when ? spec.when(new Date(at * 1000), step) : (step < 60 ? clock : minute)(new Date(at * 1000)));
  let nowAt = -1;
  /** @type {number | null} */
  let under = null;
  const figures = () => {
    const at = under !== null && under < times.length ? under : nowAt;
    setText(when, under !== null && times[at] !== undefined ? written(times[at]) : '');
    for (const { figure, value } of marks) {
      const n = at >= 0 ? figure.value(at) : null;
      setText(value, figure.text(n));
      value.dataset.value = n === null ? '' : String(n);
    }
  };
  const rows = () => {
    if (!behind.open) return;
    body.replaceChildren(
      ...times.map((at, i) =>
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, written(at)),
          ...spec.row(i).map((n, column) => element('td', { class: 'n' }, n === null ? (spec.nothing ?? 'not observed') : spec.cell(n, column))),
        ),
      ).reverse(),
    );
  };
  behind.addEventListener('toggle', rows);

  /** @type {import('./charts.js').Chart | null} */
  let chart = null;
  return {
    panel,
    /** Draws other values; nowAt is the slot whose figures are shown while no other is pointed at. @param {number[]} newTimes @param {(number | null)[][]} columns @param {number} newStep @param {number} newNow @param {boolean[]} [unobserved] */
    set(newTimes, columns, newStep, newNow, unobserved) {
      [times, step, nowAt] = [newTimes, newStep, newNow];
      chart ??= timeChart(plot, {
        ...spec.chart,
        label: spec.title,
        hover: (index) => {
          under = index;
          figures();
        },
      });
      chart.set(times, columns, step, unobserved);
      figures();
      chart.describe(`${spec.title}: ${marks.map((m) => `${m.figure.label} ${m.value.textContent}`.trim()).join(', ')}. Its table has all values.`);
      if (!behind.contains(document.activeElement)) rows();
    },
    repaint: () => chart?.repaint(),
  };
}
