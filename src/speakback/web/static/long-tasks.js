/** Counts tasks of the main thread that took over 50 ms, where the browser tells. */

export class LongTasks {
  constructor() {
    this.restart();
    if (globalThis.PerformanceObserver?.supportedEntryTypes?.includes('longtask')) {
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) {
          this.count += 1;
          this.worstMs = Math.max(this.worstMs, duration);
        }
      });
      observer.observe({ type: 'longtask' });
    }
  }

  restart() {
    this.count = 0;
    this.worstMs = 0;
  }
}
