/**
 * The real-time interval timer of a process (setitimer(2)). A program that computes is asked for signals so often that
 * the time is looked at then; one that waits is woken.
 */

export class Alarm {
  /** @param {() => void} ring Called when the time has come and the program may be waiting. */
  constructor(ring) {
    this.ring = ring;
    /** When it rings next, on the page's clock in milliseconds; infinite if it never does. */
    this.due = Infinity;
    /** The milliseconds from one ring to the next; zero for one ring only. */
    this.interval = 0;
    this.timer = undefined;
  }

  /**
   * @param {number} delay Milliseconds until it rings, zero for never.
   * @param {number} interval Milliseconds from then on, zero for once.
   */
  set(delay, interval) {
    this.due = delay > 0 ? performance.now() + delay : Infinity;
    this.interval = delay > 0 ? interval : 0;
    this.wait();
  }

  /** The milliseconds that are left, zero if it does not ring. */
  left() {
    return this.due === Infinity ? 0 : Math.max(this.due - performance.now(), 0.001);
  }

  /** Whether it rings now; then it is set for the next time. */
  rings(now) {
    if (now < this.due) {
      // setTimeout may be a little early.
      this.wait();
      return false;
    }
    // Rings that were slept through count as one (signal(7)).
    const missed = this.interval > 0 ? Math.floor((now - this.due) / this.interval) : 0;
    this.due = this.interval > 0 ? this.due + (missed + 1) * this.interval : Infinity;
    this.wait();
    return true;
  }

  wait() {
    clearTimeout(this.timer);
    if (this.due === Infinity) return;
    // Longer than setTimeout can count means several weeks.
    this.timer = setTimeout(this.ring, Math.min(this.due - performance.now(), 0x7fffffff));
  }
}
