// Times of hours to years, as the clock here shows them.
import { several } from './format.js';

const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 28 Nov 14:30, or without the time of day if a step is a day. @param {Date} at @param {number} step in seconds */
export function calendar(at, step) {
  const day = `${at.getDate()} ${months[at.getMonth()]}`;
  const year = at.getFullYear() === new Date().getFullYear() ? '' : ` ${at.getFullYear()}`;
  if (step >= 86400) return day + year;
  return `${day}${year} ${two(at.getHours())}:${two(at.getMinutes())}${step < 60 ? ':' + two(at.getSeconds()) : ''}`;
}

/** As a field of a form has it. @param {string} at */
export function localInput(at) {
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`;
}

/** For an address. @param {number} at seconds since 1970 */
export const iso = (at) => new Date(Math.round(at) * 1000).toISOString().slice(0, 19) + 'Z';

/** Of a step: 5 minutes, 1 day. @param {number} seconds */
export function length(seconds) {
  for (const [unit, size] of /** @type {const} */ ([['day', 86400], ['hour', 3600], ['minute', 60]])) if (seconds % size === 0) return several(seconds / size, unit);
  return several(seconds, 'second');
}
