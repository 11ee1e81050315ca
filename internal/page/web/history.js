// The view History: what InfluxDB has.

/** Puts the view into its element. @param {HTMLElement} place */
export function mountHistory(place) {
  place.replaceChildren();
}

/** Shows what the part of the URL behind #history? asks for. @param {URLSearchParams} _asked */
export function showHistory(_asked) {}

/** The view is no longer seen. */
export function hideHistory() {}

/** The colours have changed. */
export function repaintHistory() {}
