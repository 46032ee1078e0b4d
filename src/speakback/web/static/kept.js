/** What this browser keeps for the page. Where its storage is closed to the page, nothing was kept and nothing will be. */

/** @param {string} place @returns {string|null} */
export function kept(place) {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

/** @param {string} place @param {string} text */
export function keep(place, text) {
  try {
    localStorage.setItem(place, text);
  } catch {
    // What was chosen counts until the page is left.
  }
}
