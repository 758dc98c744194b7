/**
 * Timers of waiting calls. `setTimeout` is too coarse for the short ones: browsers stretch nested timers to 4 ms, and a
 * program that yields, or sleeps for a millisecond, would crawl.
 */

/** Below this many milliseconds turns of the event loop are counted instead. */
const FINE = 4;

export class Clock {
  /** @param {(token: number) => void} timeOut Called when the time of a wait is up. */
  constructor(timeOut) {
    this.timeOut = timeOut;
    /** What to clear, by token. */
    this.timers = new Map();
    /** Short waits: when they are due, by token. */
    this.due = new Map();
    this.channel = new MessageChannel();
    this.channel.port1.onmessage = () => this.turn();
    this.isTurning = false;
  }

  /**
   * Calls `timeOut` after so many milliseconds, unless it is cancelled.
   *
   * @param {number} token
   * @param {number} delay
   */
  start(token, delay) {
    if (delay >= FINE) {
      // Longer than setTimeout can count means several weeks.
      const timer = setTimeout(() => this.end(token), Math.min(delay, 0x7fffffff));
      this.timers.set(token, timer);
      return;
    }
    this.due.set(token, performance.now() + delay);
    this.next();
  }

  /** @param {number} token */
  cancel(token) {
    clearTimeout(this.timers.get(token));
    this.timers.delete(token);
    this.due.delete(token);
  }

  end(token) {
    this.timers.delete(token);
    this.timeOut(token);
  }

  next() {
    if (this.isTurning || this.due.size === 0) return;
    this.isTurning = true;
    this.channel.port2.postMessage(null);
  }

  turn() {
    this.isTurning = false;
    const now = performance.now();
    for (const [token, due] of [...this.due]) {
      if (due > now) continue;
      this.due.delete(token);
      this.timeOut(token);
    }
    this.next();
  }
}
