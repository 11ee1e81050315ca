// Charts over time: uPlot, and what it lacks for counts of equal slots. Nothing else of the
// page is imported, so that a report can have them too.
import uPlot from './uplot.js';

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} colour a custom property of the style, such as --c5
 * @property {boolean} [hatched] filled with lines on its colour-soft, to be told from its neighbours without the colour
 * @property {boolean} [faint] drawn thinly and dashed, and on no other, such as an earlier period. In a stack it comes first
 *
 * @typedef {object} Options
 * @property {string} label what a screen reader says the picture is
 * @property {Series[]} series from bottom to top, if they are stacked
 * @property {boolean} [stacked] areas on each other; otherwise lines
 * @property {boolean} [filled] a line with its area
 * @property {boolean} [log] a logarithmic scale
 * @property {number} [least] the axis reaches at least so far; or, of a logarithmic one, begins there at least
 * @property {(n: number) => string} format of the axis
 * @property {string} [sync] charts with one name have one cursor
 * @property {(index: number | null) => void} [hover] is told the slot under the cursor
 * @property {(from: number, to: number) => void} [select] is told what was dragged over, in seconds; without it nothing can be
 *
 * @typedef {(number | null)[]} Column null: not observed
 *
 * @typedef {object} Chart
 * @property {(times: number[], columns: Column[], step: number, unobserved?: boolean[]) => void} set draws other values; a slot has step seconds. Without unobserved, that is where the first column has nothing
 * @property {(text: string) => void} describe changes what a screen reader says
 * @property {() => void} repaint draws with the colours of now
 * @property {() => void} destroy
 */

/**
 * A chart in an element, as large as that is.
 * @param {HTMLElement} element
 * @param {Options} options
 * @returns {Chart}
 */
export function timeChart(element, options) {
  const { series } = options;
  /** @type {Column[]} as they came */
  let columns = series.map(() => []);
  /** @type {number[]} */
  let times = [];
  let step = 1;
  /** @type {boolean[] | undefined} */
  let unobserved;
  let colours = palette(element, options);

  const plot = new uPlot(
    {
      width: Math.max(element.clientWidth, 100),
      height: Math.max(element.clientHeight, 60),
      padding: [6, 4, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: Boolean(options.select), y: false, setScale: false },
        sync: options.sync ? { key: options.sync, scales: ['x', null] } : undefined,
        dataIdx: (_u, _series, closest, x) => (closest > 0 && times[closest] > x ? closest - 1 : closest),
      },
      scales: {
        x: { time: true, range: () => (times.length ? [times[0], times[times.length - 1] + step] : [0, 1]) },
        y: {
          distr: options.log ? 3 : 1,
          range: (_u, low, high) => yRange(options, low, high),
        },
      },
      axes: [
        {
          stroke: () => colours.soft,
          font: colours.font,
          size: 22,
          gap: 4,
          space: 64,
          grid: { show: false },
          ticks: { stroke: () => colours.line, width: 1, size: 4 },
          // One that would be cut off at the edge is left out.
          values: (u, splits, _axis, _space, increment) => splits.map((at) => (u.valToPos(at, 'x') > u.bbox.width / (devicePixelRatio || 1) - 20 ? '' : timeLabel(at, increment))),
        },
        {
          stroke: () => colours.soft,
          font: colours.font,
          size: 52,
          gap: 6,
          space: 28,
          grid: { stroke: () => colours.line, width: 1 },
          ticks: { show: false },
          // Of a logarithmic scale only the powers of ten.
          splits: options.log ? (u) => powers(u.scales.y.min ?? 0.001, u.scales.y.max ?? 1) : undefined,
          values: (_u, splits) => splits.map((n) => (n === null || n === undefined ? '' : options.format(n))),
        },
      ],
      series: [{}, ...drawn(options).map((i) => curve(options, i, () => colours, () => step))],
      hooks: {
        drawClear: [(u) => hatchUnobserved(u, times, (i) => (unobserved ? unobserved[i] : columns[0]?.[i] === null), step, colours)],
        setCursor: [(u) => options.hover?.(u.cursor.idx ?? null)],
        setSelect: [
          (u) => {
            if (options.select && u.select.width > 3) {
              options.select(u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'));
            }
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    },
    [[], ...series.map(() => [])],
    element,
  );

  element.tabIndex = 0;
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', options.label);
  element.addEventListener('keydown', (event) => alongWithKeys(plot, event));
  element.addEventListener('blur', () => point(plot, -10, -10));
  const sizes = new ResizeObserver(() => {
    const width = element.clientWidth;
    const height = element.clientHeight;
    if (width > 0 && height > 0 && (width !== plot.width || height !== plot.height)) plot.setSize({ width, height });
  });
  sizes.observe(element);

  return {
    set(newTimes, newColumns, newStep, newUnobserved) {
      times = newTimes;
      columns = newColumns;
      step = newStep;
      unobserved = newUnobserved;
      const values = options.stacked ? stack(columns, series) : columns;
      plot.setData([times, ...drawn(options).map((i) => values[i])]);
    },
    describe: (text) => element.setAttribute('aria-label', text),
    repaint() {
      colours = palette(element, options);
      plot.redraw(false, true);
    },
    destroy() {
      sizes.disconnect();
      plot.destroy();
    },
  };
}

/** Indexes of series in the order of drawing: of a stack the topmost is drawn first, and covered. @param {Options} o */
function drawn(o) {
  const order = o.series.map((_, i) => i);
  return o.stacked ? order.reverse() : order;
}

/** Sums from the bottom up. @param {Column[]} columns @param {Series[]} series */
function stack(columns, series) {
  /** @type {Column | undefined} */
  let below;
  return columns.map((column, i) => {
    if (series[i].faint) return column;
    const under = below;
    below = column.map((n, at) => (n === null ? null : n + (under?.[at] ?? 0)));
    return below;
  });
}

/** @param {Options} o @param {number | null} low @param {number | null} high @returns {[number, number]} */
function yRange(o, low, high) {
  if (!o.log) {
    const top = Math.max(high ?? 0, o.least ?? 0);
    return top > 0 ? [0, top * 1.08] : [0, 1];
  }
  const least = o.least ?? 0.001;
  const from = Math.max(low ?? least, least / 10);
  const to = Math.max(high ?? least * 10, from * 10);
  return [10 ** Math.floor(Math.log10(from) + 1e-9), 10 ** Math.ceil(Math.log10(to) - 1e-9)];
}

/** @param {number} low @param {number} high */
function powers(low, high) {
  const [from, to] = [Math.round(Math.log10(low)), Math.round(Math.log10(high))];
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}

const twoDigits = (/** @type {number} */ n) => String(n).padStart(2, '0');
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @param {number} at in seconds @param {number} increment of the axis */
function timeLabel(at, increment) {
  const d = new Date(at * 1000);
  const day = `${d.getDate()} ${months[d.getMonth()]}`;
  if (increment >= 86400 * 28) return `${months[d.getMonth()]} ${d.getFullYear()}`;
  if (increment >= 86400) return day;
  if (d.getHours() === 0 && d.getMinutes() === 0) return day;
  const time = `${twoDigits(d.getHours())}:${twoDigits(d.getMinutes())}`;
  return increment < 60 ? `${time}:${twoDigits(d.getSeconds())}` : time;
}

/**
 * @typedef {object} Palette
 * @property {string} soft of text
 * @property {string} line of the grid
 * @property {string} font
 * @property {CanvasPattern | string} unobserved
 * @property {string[]} strokes
 * @property {(CanvasPattern | string)[]} fills
 *
 * @param {HTMLElement} element @param {Options} o @returns {Palette}
 */
function palette(element, o) {
  const style = getComputedStyle(element);
  const value = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    soft: value('--soft'),
    line: value('--line'),
    font: `11px ${style.fontFamily}`,
    unobserved: hatch(value('--line'), 'transparent', 7, 1),
    strokes: o.series.map((s) => value(s.colour)),
    fills: o.series.map((s) => (s.hatched ? hatch(value(s.colour), value(s.colour + '-soft'), 5, 1.4) : value(o.stacked ? s.colour : s.colour + '-wash') || 'transparent')),
  };
}

/** Diagonal lines. @param {string} ink @param {string} paper @param {number} every @param {number} width */
function hatch(ink, paper, every, width) {
  const scale = devicePixelRatio || 1;
  const size = Math.round(every * scale);
  const tile = document.createElement('canvas');
  tile.width = tile.height = size;
  const c = tile.getContext('2d');
  if (!c) return ink;
  if (paper !== 'transparent') {
    c.fillStyle = paper;
    c.fillRect(0, 0, size, size);
  }
  c.strokeStyle = ink;
  c.lineWidth = width * scale;
  c.lineCap = 'square';
  c.beginPath();
  for (const shift of [-size, 0, size]) {
    c.moveTo(shift, size);
    c.lineTo(shift + size, 0);
  }
  c.stroke();
  return c.createPattern(tile, 'repeat') ?? ink;
}

/**
 * @param {Options} o @param {number} i @param {() => Palette} colours @param {() => number} step
 * @returns {uPlot.Series}
 */
function curve(o, i, colours, step) {
  const faint = o.series[i].faint;
  return {
    label: o.series[i].label,
    stroke: () => colours().strokes[i],
    fill: (o.stacked || o.filled) && !faint ? () => /** @type {any} */ (colours().fills[i]) : undefined,
    width: faint ? 1 : 1.5,
    dash: faint ? [3, 3] : undefined,
    points: { show: false },
    paths: (u, index, from, to) => (o.stacked && !faint ? area(u, index, from, to, step()) : polyline(u, index, from, to, step(), Boolean(o.filled) && !faint)),
  };
}

/** Steps, one as wide as its slot, with gaps where there is no value. @param {uPlot} u @param {number} index @param {number} from @param {number} to @param {number} step @returns {uPlot.Series.Paths} */
function area(u, index, from, to, step) {
  const [xs, ys] = [u.data[0], u.data[index]];
  const fill = new Path2D();
  const floor = u.valToPos(0, 'y', true);
  let open = false;
  let x1 = 0;
  for (let i = from; i <= to; i++) {
    const y = ys[i];
    const x0 = Math.round(u.valToPos(xs[i], 'x', true));
    if (open && (y === null || y === undefined || xs[i] - xs[i - 1] > step * 1.5)) {
      fill.lineTo(x1, floor);
      fill.closePath();
      open = false;
    }
    if (y === null || y === undefined) continue;
    const top = u.valToPos(y, 'y', true);
    if (!open) {
      fill.moveTo(x0, floor);
      open = true;
    }
    x1 = Math.round(u.valToPos(xs[i] + step, 'x', true));
    fill.lineTo(x0, top);
    fill.lineTo(x1, top);
  }
  if (open) {
    fill.lineTo(x1, floor);
    fill.closePath();
  }
  return { stroke: null, fill, flags: 0 };
}

/** Lines between the middles of neighbouring slots; one without neighbours is as wide as it is. @param {uPlot} u @param {number} index @param {number} from @param {number} to @param {number} step @param {boolean} filled @returns {uPlot.Series.Paths} */
function polyline(u, index, from, to, step, filled) {
  const [xs, ys] = [u.data[0], u.data[index]];
  const stroke = new Path2D();
  const fill = new Path2D();
  const floor = filled ? u.valToPos(0, 'y', true) : 0;
  const there = (/** @type {number} */ i) => ys[i] !== null && ys[i] !== undefined;
  for (let i = from; i <= to; i++) {
    if (!there(i)) continue;
    let end = i;
    while (end < to && there(end + 1) && xs[end + 1] - xs[end] <= step * 1.5) end++;
    if (i === end) {
      const y = u.valToPos(Number(ys[i]), 'y', true);
      stroke.moveTo(u.valToPos(xs[i], 'x', true), y);
      stroke.lineTo(u.valToPos(xs[i] + step, 'x', true), y);
      continue;
    }
    for (let at = i; at <= end; at++) {
      const x = u.valToPos(xs[at] + step / 2, 'x', true);
      const y = u.valToPos(Number(ys[at]), 'y', true);
      if (at === i) {
        stroke.moveTo(x, y);
        fill.moveTo(x, floor);
      }
      stroke.lineTo(x, y);
      fill.lineTo(x, y);
      if (at === end) fill.lineTo(x, floor);
    }
    i = end;
  }
  return { stroke, fill: filled ? fill : null, flags: 0 };
}

/** What nobody looked at is hatched: no requests there are no silence. @param {uPlot} u @param {number[]} times @param {(i: number) => boolean} of @param {number} step @param {Palette} colours */
function hatchUnobserved(u, times, of, step, colours) {
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.fillStyle = colours.unobserved;
  for (let i = 0; i < times.length; i++) {
    if (!of(i)) continue;
    let end = i;
    while (end + 1 < times.length && of(end + 1)) end++;
    const x0 = Math.max(left, Math.round(u.valToPos(times[i], 'x', true)));
    const x1 = Math.min(left + width, Math.round(u.valToPos(times[end] + step, 'x', true)));
    u.ctx.fillRect(x0, top, x1 - x0, height);
    i = end;
  }
  u.ctx.restore();
}

/** @param {uPlot} u @param {KeyboardEvent} event */
function alongWithKeys(u, event) {
  const last = u.data[0].length - 1;
  const slots = event.shiftKey ? 12 : 1;
  const at = u.cursor.idx ?? (event.key === 'ArrowLeft' ? last + 1 : -1);
  const to = { ArrowLeft: at - slots, ArrowRight: at + slots, Home: 0, End: last }[event.key];
  if (event.key === 'Escape') point(u, -10, -10);
  if (to === undefined || last < 0) return;
  event.preventDefault();
  const index = Math.min(Math.max(to, 0), last);
  const next = u.data[0][Math.min(index + 1, last)];
  const left = (u.valToPos(u.data[0][index], 'x') + u.valToPos(next, 'x')) / 2;
  point(u, index === last ? u.valToPos(u.data[0][index], 'x') + 1 : left, 10);
}

/** Puts the cursor somewhere, and those of its neighbours. @param {uPlot} u @param {number} left @param {number} top */
function point(u, left, top) {
  /** @type {(o: { left: number, top: number }, fire: boolean, publish: boolean) => void} */ (u.setCursor)({ left, top }, true, true);
}

