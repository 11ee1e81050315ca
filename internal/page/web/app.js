// The page: which view is seen, the stream, the theme and the keys.
import { clock } from './format.js';
import { hideHistory, mountHistory, repaintHistory, showHistory } from './history.js';
import { drawNow, mountNow, repaintNow } from './now.js';
import { lastMinute, note } from './pipeline.js';
import { follow } from './stream.js';
import { setText } from './tables.js';
import { allowTail, focusFilter, mountTail, togglePause } from './tail.js';
import { verdict } from './verdict.js';

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** What is remembered in this browser, if it may be. */
const memory = {
  /** @param {string} name */
  get(name) {
    try {
      return localStorage.getItem('tailflux.' + name);
    } catch {
      return null;
    }
  },
  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      localStorage.setItem('tailflux.' + name, value);
    } catch {
      // It is forgotten when the page is.
    }
  },
};

/** @param {'ok' | 'warn' | 'bad' | 'idle'} state @param {string} text @param {string} [more] */
function say(state, text, more = '') {
  const place = byId('verdict');
  place.dataset.state = state;
  place.title = more;
  setText(byId('verdict-text'), text);
  // Read aloud when it is another sentence, not each second with other figures.
  const said = byId('verdict-said');
  if (said.textContent?.replace(/[\d:,.]+/g, '') !== text.replace(/[\d:,.]+/g, '')) setText(said, text);
  setText(byId('verdict-more'), more);
  const title = state === 'ok' || state === 'idle' ? 'tailflux' : `(!) ${text} tailflux`;
  if (document.title !== title) document.title = title;
}

/** @param {import('./types.d.ts').Answer} answer */
function show(answer) {
  if (answer.page !== document.body.dataset.hash && renewed(answer.page)) return;
  document.body.classList.remove('stale');
  if (answer.pipeline) note(answer.pipeline);
  const is = verdict(answer, lastMinute());
  say(is.state, is.text, is.more);
  drawNow(answer);
  allowTail(answer.live !== null);
}

/** Another version of tailflux has another page: it is loaded, once. @param {string} hash */
function renewed(hash) {
  try {
    if (sessionStorage.getItem('tailflux.page') === hash) return false;
    sessionStorage.setItem('tailflux.page', hash);
  } catch {
    return false;
  }
  location.reload();
  return true;
}

/** @param {Date} since @param {import('./stream.js').Why} why */
function lost(since, why) {
  document.body.classList.add('stale');
  allowTail(false); // its stream is as dead, and nothing else would say so
  if (why === 'token') say('bad', 'The token is asked for again.', 'Load the page once more.');
  else if (why === 'full') say('bad', 'tailflux has no stream for this page: 40 are open already.', `What is shown is of ${clock(since)}. Close a page that nobody looks at; this one asks again by itself.`);
  else say('bad', `No connection since ${clock(since)}.`, 'What is shown is of that time. The page goes on by itself.');
}

const views = ['now', 'history'];

function route() {
  const [, name, query = ''] = /^#?([^?]*)\??(.*)$/s.exec(location.hash) ?? []; // a path may have a ? of its own
  const view = views.includes(name) ? name : 'now';
  for (const one of views) {
    byId(one).hidden = one !== view;
    if (one === view) byId('tab-' + one).setAttribute('aria-current', 'page');
    else byId('tab-' + one).removeAttribute('aria-current');
  }
  document.body.dataset.view = view;
  if (view === 'history') showHistory(new URLSearchParams(query));
  else hideHistory();
}

const themes = ['auto', 'light', 'dark'];

/** @param {string} name */
function useTheme(name) {
  document.documentElement.dataset.theme = name;
  memory.set('theme', name);
  setText(byId('theme'), name[0].toUpperCase() + name.slice(1));
  byId('theme').setAttribute('aria-label', `${byId('theme').textContent} theme`);
  repaint();
}

function repaint() {
  repaintNow();
  repaintHistory();
}

const nextTheme = () => useTheme(themes[(themes.indexOf(document.documentElement.dataset.theme ?? 'auto') + 1) % themes.length]);

/** @type {Record<string, () => void>} */
const keys = {
  1: () => (location.hash = '#now'),
  2: () => (location.hash = '#history'),
  p: togglePause,
  '/': focusFilter,
  t: nextTheme,
  '?': () => /** @type {HTMLDialogElement} */ (byId('help')).showModal(),
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const inField = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || event.target instanceof HTMLTextAreaElement;
  const on = /** @type {HTMLInputElement} */ (byId('keys-on')).checked;
  if (inField || !on || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function start() {
  const keysOn = /** @type {HTMLInputElement} */ (byId('keys-on'));
  keysOn.checked = memory.get('keys') !== 'off';
  keysOn.addEventListener('change', () => memory.set('keys', keysOn.checked ? 'on' : 'off'));
  byId('theme').addEventListener('click', nextTheme);
  byId('help-open').addEventListener('click', keys['?']);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
  document.addEventListener('keydown', onKey);
  addEventListener('hashchange', route);
  mountNow();
  mountTail();
  mountHistory(byId('history'));
  useTheme(themes.includes(document.documentElement.dataset.theme ?? '') ? (document.documentElement.dataset.theme ?? 'auto') : 'auto');
  route();
  follow({ answer: show, lost });
}

start();
