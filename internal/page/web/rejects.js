// The last rejected lines, each with the place where it stops to be of its format.
import { clock, several } from './format.js';
import { element, setText } from './tables.js';

let drawn = '';

/** @param {import('./types.d.ts').Reject[]} rejects the newest first */
export function drawRejects(rejects) {
  const now = JSON.stringify(rejects);
  if (now === drawn) return;
  drawn = now;
  const list = /** @type {HTMLElement} */ (document.querySelector('[data-table="rejects"]'));
  setText(
    /** @type {HTMLElement} */ (document.getElementById('rejects-note')),
    rejects.length === 0 ? 'None so far.' : `The last ${several(rejects.length, 'line')}. All of them are in the reject file.`,
  );
  list.replaceChildren(...rejects.map(entry));
}

/** @param {import('./types.d.ts').Reject} r */
function entry(r) {
  const where = r.line_number > 0 ? `${r.source}, line ${r.line_number}` : r.source;
  const caret = r.caret >= 0 ? ['\n' + ' '.repeat(r.caret), element('b', { class: 'caret' }, '^')] : [];
  return element(
    'li',
    {},
    element('p', { class: 'small' }, element('time', { datetime: r.time }, clock(new Date(r.time))), ' ', element('b', {}, r.reason), ' ', element('span', { class: 'quiet' }, where)),
    element('pre', {}, r.line, ...caret),
    ...(r.why ? [element('p', { class: 'small quiet' }, r.why)] : []),
  );
}
