// How figures are written. One way everywhere, whatever the language of the browser: they
// are compared with those of curl.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** @param {number | null | undefined} n @returns {n is null | undefined} */
export const isNone = (n) => n === null || n === undefined || Number.isNaN(n);

export const none = '–';

/** A count: 12,340. @param {number | null | undefined} n */
export const count = (n) => (isNone(n) ? none : whole.format(n));

/** Three digits that matter: 0.42, 4.2, 42, 4,200. @param {number | null | undefined} n */
export function rate(n) {
  if (isNone(n)) return none;
  const size = Math.abs(n);
  if (size === 0) return '0';
  if (size < 1) return n.toFixed(2);
  return size < 10 ? n.toFixed(1) : whole.format(n);
}

/** The same of a quiet path, which has a few in an hour. @param {number | null} n */
export const rareRate = (n) => (n !== null && n > 0 && n < 0.01 ? (n < 0.00001 ? '<0.00001' : n.toFixed(5).replace(/0+$/, '')) : rate(n));

/** For an axis or a narrow column: 1.2k. @param {number | null | undefined} n */
export function short(n) {
  if (isNone(n)) return none;
  for (const [unit, size] of /** @type {const} */ ([['G', 1e9], ['M', 1e6], ['k', 1e3]])) {
    if (Math.abs(n) >= size) return trim(n / size) + unit;
  }
  return trim(n);
}

/** @param {number} n */
function trim(n) {
  const text = Math.abs(n) >= 100 ? n.toFixed(0) : Math.abs(n) >= 10 ? n.toFixed(1) : n.toFixed(2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Bytes: 1.2 MB. @param {number | null | undefined} n */
export function bytes(n) {
  if (isNone(n)) return none;
  for (const [unit, size] of /** @type {const} */ ([['TB', 1e12], ['GB', 1e9], ['MB', 1e6], ['kB', 1e3]])) {
    if (Math.abs(n) >= size) return trim(n / size) + ' ' + unit;
  }
  return trim(n) + ' B';
}

/** Seconds of a request: 182 ms, 1.24 s. @param {number | null | undefined} s */
export function took(s) {
  if (isNone(s)) return none;
  if (s < 0.0005) return '0 ms';
  if (s < 0.01) return trim(s * 1000) + ' ms';
  if (s < 1) return (s * 1000).toFixed(0) + ' ms';
  return s < 10 ? s.toFixed(2) + ' s' : s.toFixed(s < 100 ? 1 : 0) + ' s';
}

/** The same for an axis: 10 ms, 1 s. @param {number | null | undefined} s */
export const tookShort = (s) => (isNone(s) ? none : s < 0.9995 ? trim(s * 1000) + ' ms' : trim(s) + ' s');

/** A share as per cent: 0.42 %. @param {number | null | undefined} part of 1 */
export function percent(part) {
  if (isNone(part)) return none;
  const p = part * 100;
  if (p === 0 || p === 100) return p + ' %';
  return (p < 0.01 ? '<0.01' : p < 1 ? p.toFixed(2) : p < 10 ? p.toFixed(1) : p.toFixed(0)) + ' %';
}

/** A span of time: 40 s, 3 min, 2 h 5 min. @param {number} s */
export function span(s) {
  if (s < 1) return '0 s';
  if (s < 90) return Math.round(s) + ' s';
  const minutes = Math.round(s / 60);
  if (minutes < 90) return minutes + ' min';
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return hours + ' h ' + (minutes % 60) + ' min';
  return Math.round(hours / 24) + ' days';
}

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');

/** The time of day, here: 12:03:11. @param {Date} at */
export const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

/** Without seconds. @param {Date} at */
export const minute = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;

/** One or many: "1 line", "2 lines". @param {number} n @param {string} one @param {string} [many] */
export const several = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

/** +12 %, −0.3 %, ±0.0 %. @param {number} share */
export function changed(share) {
  const text = Math.abs(share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0);
  return `${Number(text) === 0 ? '±' : share > 0 ? '+' : '−'}${text} %`;
}

/** What the daemon says of an error, as a sentence. @param {unknown} text */
export function sentence(text) {
  const plain = String(text ?? 'The daemon does not say why');
  return plain.slice(0, 1).toUpperCase() + plain.slice(1) + (/[.!?]$/.test(plain) ? '' : '.');
}
