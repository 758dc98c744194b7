/**
 * Tells the page what the program's main thread waits in. Short waits are nobody's business: only what lasts longer
 * than a person can see is told.
 */

/** How often is looked, in milliseconds; what has lasted from one look to the next is told. */
const LOOK = 100;

export class Watch {
  /** @param {(message: object) => void} post Sends a message to the page. */
  constructor(post) {
    this.post = post;
    /** What the try that blocks now is called, for people. */
    this.call = "";
    /** The token of the main thread's wait, zero if it runs. */
    this.token = 0;
    this.seen = 0;
    this.told = 0;
  }

  /** Looks from now on. */
  begin() {
    setInterval(() => this.look(), LOOK);
  }

  /** The main thread waits with this token. */
  waits(token) {
    this.token = token;
    this.waitsIn = this.call;
  }

  /** The wait with this token is over. */
  goesOn(token) {
    if (token !== this.token) return;
    this.token = 0;
  }

  look() {
    if (this.token === 0) {
      if (this.told !== 0) this.post({ type: "running" });
      this.told = 0;
    } else if (this.token === this.seen && this.token !== this.told) {
      this.told = this.token;
      this.post({ type: "waiting", call: this.waitsIn });
    }
    this.seen = this.token;
  }
}
