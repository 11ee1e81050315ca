// Chooses light or dark before anything is drawn. It is a classic script, so that the
// browser waits for it.
(() => {
  let theme = 'auto';
  try {
    theme = localStorage.getItem('tailflux.theme') || 'auto';
  } catch {
    // Storage is off: the system's choice holds.
  }
  document.documentElement.dataset.theme = theme;
})();
