// Requests as they come. The daemon describes them only while somebody watches: while this
// is in sight and not paused.
import { bytes, clock, took } from './format.js';
import { element, plain, setText } from './tables.js';

/** @typedef {import('./types.d.ts').LiveRequest} LiveRequest */

const kept = 200;

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const place = byId('tail');
const body = /** @type {HTMLElement} */ (place.querySelector('tbody'));
const text = /** @type {HTMLInputElement} */ (byId('tail-text'));
const statusClass = /** @type {HTMLSelectElement} */ (byId('tail-class'));
const source = /** @type {HTMLSelectElement} */ (byId('tail-source'));
const pause = byId('tail-pause');

let paused = false;
let inSight = false;
let possible = true; // the figures are not off
/** @type {EventSource | null} */
let stream = null;
let watched = ''; // what the stream was asked for
let since = 0; // ms, when
const patience = 10_000; // ms until a stream that was refused is asked for again

/** Begins or ends to watch, as is wanted now. */
function settle() {
  const asked = new URLSearchParams({ text: text.value.trim(), class: statusClass.value, source: source.value });
  const wanted = inSight && !paused && possible && !document.hidden ? `live/tail?${asked}` : '';
  const refused = stream?.readyState === EventSource.CLOSED && Date.now() - since > patience;
  if (wanted === watched && !refused) return;
  stream?.close();
  stream = null;
  if (wanted && watched && wanted !== watched) body.replaceChildren(); // another filter
  watched = wanted;
  if (!wanted) return;
  since = Date.now();
  stream = new EventSource(wanted);
  stream.addEventListener('requests', (event) => show(JSON.parse(event.data)));
}

/** @param {LiveRequest[]} requests the oldest first */
function show(requests) {
  body.prepend(...requests.slice(-kept).reverse().map(line));
  while (body.children.length > kept) body.lastElementChild?.remove();
}

/** @param {LiveRequest} r */
function line(r) {
  const status = element('td', { class: 'n' }, plain(r.status ?? ''));
  status.dataset.class = /^[1-5]\d\d$/.test(r.status ?? '') ? `${r.status?.[0]}xx` : 'other';
  const what = element('td', { class: 'what' }, plain([r.method, r.path].filter(Boolean).join(' ')) || '(no request)');
  what.title = [r.host, r.agent].filter(Boolean).map((text) => plain(text ?? '')).join('\n');
  return element(
    'tr',
    {},
    element('td', {}, clock(new Date(r.time))),
    status,
    what,
    element('td', { class: 'n' }, took(r.seconds)),
    element('td', { class: 'n' }, bytes(r.bytes)),
    element('td', {}, plain(r.client ?? '')),
  );
}

/** Pauses, or goes on. */
export function togglePause() {
  paused = !paused;
  pause.setAttribute('aria-pressed', String(paused));
  setText(pause, paused ? 'Go on' : 'Pause');
  settle();
}

export const focusFilter = () => text.focus();

/** Says whether requests can be watched, and watches them again after an interruption. @param {boolean} on */
export function allowTail(on) {
  possible = on;
  settle();
}

/** @param {string[]} names */
export function offerSources(names) {
  const there = [...source.options].slice(1).map((o) => o.value);
  if (names.length === there.length && names.every((name, i) => name === there[i])) return;
  const chosen = source.value;
  while (source.options.length > 1) source.remove(1);
  for (const name of names) source.add(new Option(name, name));
  source.value = names.includes(chosen) ? chosen : '';
  source.hidden = names.length < 2;
}

export function mountTail() {
  let typing = 0;
  text.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(settle, 250);
  });
  statusClass.addEventListener('change', settle);
  source.addEventListener('change', settle);
  byId('tail-filter').addEventListener('submit', (event) => event.preventDefault());
  pause.addEventListener('click', togglePause);
  document.addEventListener('visibilitychange', settle);
  new IntersectionObserver((entries) => {
    inSight = entries.some((e) => e.isIntersecting);
    settle();
  }).observe(place);
}
