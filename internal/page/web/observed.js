// Which time of each log was observed, as strips, and the gaps in words.
import { percent, several, span } from './format.js';
import { element, plain } from './tables.js';
import { calendar } from './when.js';

/**
 * @typedef {import('./types.d.ts').History} History
 *
 * @param {HTMLElement} place @param {History} h
 */
export function drawStrips(place, h) {
  const title = element('h2', { id: 'history-observed-title' }, 'Observed');
  const why = h.missing.observed;
  if (why) {
    place.replaceChildren(element('header', {}, title), element('p', { class: 'empty' }, why + '.'));
    return;
  }
  const rows = h.observed.map((o) => {
    const known = o.share.filter((n) => n !== null);
    const mean = known.length ? known.reduce((sum, n) => sum + n, 0) / known.length : null;
    const [source, host] = [plain(o.source), plain(o.host)];
    const strip = element('span', { class: 'strip', role: 'img', 'aria-label': `${source} on ${host}: ${percent(mean)} of the time` });
    strip.append(...runs(o.share));
    return element('li', { 'data-name': o.source, 'data-host': o.host }, element('span', { class: 'strip-name', title: `${source} on ${host}` }, source, ' ', element('span', { class: 'quiet' }, host)), strip, element('b', { class: 'n' }, percent(mean)));
  });
  const more = h.logs > rows.length ? [element('p', { class: 'small quiet' }, `${several(h.logs - rows.length, 'more log')}: choose a source to see one.`)] : [];
  const gaps = h.gaps.slice(-50).reverse().map((g) => element('li', {}, `${calendar(new Date(g.from * 1000), 60)} – ${calendar(new Date(g.to * 1000), 60)} (${span(g.to - g.from)}): ${g.observed === 0 ? 'not observed' : percent(g.observed) + ' observed'}`));
  const all = element('details', { class: 'gaps' }, element('summary', {}, several(h.gaps.length, 'gap') + (h.gaps.length > gaps.length ? `, the last ${gaps.length} of them here` : '')), element('ol', {}, ...gaps));
  place.replaceChildren(element('header', {}, title), element('ol', {}, ...rows), ...more, h.gaps.length ? all : element('p', { class: 'small quiet' }, 'No gaps: no requests are no traffic.'));
}

/** Neighbours of one kind as one piece. @param {(number | null)[]} share */
function runs(share) {
  /** @type {HTMLElement[]} */
  const pieces = [];
  const kind = (/** @type {number | null} */ n) => (n === null ? 'unknown' : n === 1 ? 'whole' : n > 0 ? 'part' : 'none');
  for (let i = 0; i < share.length; ) {
    let end = i;
    while (end < share.length && kind(share[end]) === kind(share[i])) end++;
    const piece = element('i', { 'data-kind': kind(share[i]) });
    piece.style.flexGrow = String(end - i);
    pieces.push(piece);
    i = end;
  }
  return pieces;
}
