/** One conversation a browser: held by the tab that has it, and taken over by one whose user insists. */

const NAME = 'speakback-call';

/** The lock that this tab had last is free when this is settled: browsers take a moment. */
let before = Promise.resolve();

export class TabLock {
  /** @param {() => void} taken called when another tab took the lock */
  constructor(taken) {
    this.taken = taken;
    this.letGo = null;
    this.held = null;
  }

  /**
   * @param {boolean} insist take it from the tab that has it
   * @returns {Promise<boolean>} whether this tab has it; true where the browser has no locks
   */
  async take(insist) {
    if (navigator.locks === undefined) {
      return true;
    }
    await before;
    return new Promise((resolve) => {
      const hold = (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise((letGo) => {
          this.letGo = letGo;
        });
      };
      this.held = navigator.locks.request(NAME, insist ? { steal: true } : { ifAvailable: true }, hold).catch(() => {
        resolve(false);
        if (this.letGo !== null) {
          this.letGo = null;
          this.taken();
        }
      });
    });
  }

  release() {
    const { letGo } = this;
    this.letGo = null;
    if (letGo !== null) {
      before = this.held;
      letGo();
    }
  }
}
