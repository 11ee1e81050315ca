// Tables whose rows change in place. What stands in them comes from log lines: it is put
// there as text, never as HTML.

/**
 * @template T
 * @typedef {object} Column
 * @property {string} head
 * @property {(row: T) => string} text
 * @property {string} [kind] n: a number; name: what the row is about
 * @property {(row: T) => string} [title] the whole of what may be cut off
 * @property {(row: T) => number} [share] from 0 to 1, drawn behind the text
 * @property {(row: T) => string} [link] where a name leads to; with it each name is a link
 * @property {(row: T) => string} [tone] a class of colour, or ""
 */

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children text stays text
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

const invisible = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const utf8 = new TextEncoder();

/**
 * What a log line has, as it may be shown: what is invisible, or turns the order of letters
 * round, is written as nginx writes it, \xHH. tailflux report does the same.
 * @param {string} text
 */
export const plain = (text) => text.replace(invisible, (c) => [...utf8.encode(c)].map((byte) => '\\x' + byte.toString(16).toUpperCase().padStart(2, '0')).join(''));

/**
 * A table with a title, and a function that shows other rows in it.
 * @template T
 * @param {object} o
 * @param {string} o.id what scripts call it: data-table
 * @param {string} o.title
 * @param {string} [o.empty] stands there when there are no rows
 * @param {number} [o.few] so many rows are shown until more are asked for
 * @param {(row: T) => string} o.key
 * @param {Column<T>[]} o.columns
 */
export function table(o) {
  const few = o.few ?? 8;
  const heading = element('h2', { id: 'table-' + o.id }, o.title);
  const body = element('tbody');
  const more = /** @type {HTMLButtonElement} */ (element('button', { type: 'button', class: 'more', 'aria-expanded': 'false' }));
  more.hidden = true;
  const grid = element(
    'table',
    { 'data-table': o.id, 'aria-labelledby': 'table-' + o.id },
    element('thead', {}, element('tr', {}, ...o.columns.map((c) => element('th', { scope: 'col', class: c.kind ?? '' }, c.head)))),
    body,
  );
  const empty = element('p', { class: 'empty' }, 'None.');
  const panel = element('section', { class: 'panel', 'aria-labelledby': 'table-' + o.id }, element('header', {}, heading, more), grid, empty);
  /** @type {T[]} */
  let rows = [];
  let all = false;
  const draw = () => {
    const shown = all ? rows : rows.slice(0, few);
    while (body.children.length > shown.length) body.lastElementChild?.remove();
    shown.forEach((row, i) => fill(/** @type {HTMLElement} */ (body.children[i] ?? body.appendChild(blank(o.columns))), row, o));
    grid.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    more.hidden = rows.length <= few;
    setText(more, all ? 'Fewer' : `All ${rows.length}`);
    more.setAttribute('aria-expanded', String(all));
    more.setAttribute('aria-label', (all ? 'Fewer rows: ' : `All ${rows.length} rows: `) + o.title);
  };
  more.addEventListener('click', () => {
    all = !all;
    draw();
  });
  draw();
  return {
    panel,
    /** @param {T[] | null | undefined} next @param {string} [why] there are none, if it is another reason than usual */
    set(next, why = o.empty ?? 'None.') {
      rows = next ?? [];
      setText(empty, why);
      draw();
    },
  };
}

/** @template T @param {Column<T>[]} columns */
function blank(columns) {
  return element('tr', {}, ...columns.map((c) => (c.kind === 'name' ? element('th', { scope: 'row', class: 'name' }, element(c.link ? 'a' : 'span')) : element('td', { class: c.kind ?? '' }))));
}

/** @template T @param {HTMLElement} line @param {T} row @param {{ key: (row: T) => string, columns: Column<T>[] }} o */
function fill(line, row, o) {
  const key = o.key(row);
  if (line.dataset.name !== key) line.dataset.name = key;
  o.columns.forEach((column, i) => {
    const cell = /** @type {HTMLElement} */ (line.children[i]);
    if (column.kind === 'name') setText(/** @type {Node} */ (cell.firstChild), plain(column.text(row)));
    else setText(cell, column.text(row));
    if (column.link) /** @type {Element} */ (cell.firstChild).setAttribute('href', column.link(row));
    const title = plain(column.title?.(row) ?? '');
    if (cell.title !== title) cell.title = title;
    if (column.tone) cell.dataset.tone = column.tone(row);
    if (column.share) cell.style.setProperty('--share', `${(column.share(row) * 100).toFixed(1)}%`);
  });
}
