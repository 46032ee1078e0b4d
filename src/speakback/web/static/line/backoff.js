/** How long to wait before connecting again. Pure, but for the dice. */

const FIRST_S = 0.25;
const LONGEST_S = 5;

/** Seconds before the attempt of this number (from 0): doubled each time, and never the same for all pages at once. */
export function waitS(attempt, random = Math.random) {
  return Math.min(FIRST_S * 2 ** attempt, LONGEST_S) * (0.5 + 0.5 * random());
}

/** A wait that can be cut short. */
export class Wait {
  #wake = () => {};

  /** @returns {Promise<void>} */
  async for(ms) {
    let timer;
    await new Promise((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  over() {
    this.#wake();
  }
}
