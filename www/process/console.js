/**
 * The program's console: what it prints goes to the page in batches, what the person types is its standard input.
 */

import { EAGAIN, POLLIN, POLLRDNORM, S_IFCHR } from "./emscripten.js";

/** A batch is sent when it has so many characters, or when so many milliseconds have passed. */
const BATCH_LENGTH = 32 * 1024;
const BATCH_TIME = 16;

export class Console {
  /**
   * @param {import("./machine.js").Machine} machine
   * @param {(message: object) => void} post Sends a message to the page.
   */
  constructor(machine, post) {
    this.machine = machine;
    this.post = post;
    /** @type {Uint8Array[]} What was typed and not read yet. */
    this.typed = [];
    this.isAtEnd = false;
    this.stdout = new Output("stdout", post);
    this.stderr = new Output("stderr", post);
    // What was printed first is shown first, whichever stream it went to.
    this.stdout.other = this.stderr;
    this.stderr.other = this.stdout;
  }

  /** Puts standard input, output and error in the place of Pyodide's own. */
  install(pyodide) {
    pyodide.setStdout({ write: (bytes) => this.stdout.write(bytes), isatty: false });
    pyodide.setStderr({ write: (bytes) => this.stderr.write(bytes), isatty: false });
    const { FS } = this.machine.module;
    const node = FS.createNode(FS.root, "stdin", S_IFCHR | 0o444, 0);
    this.node = node;
    const operations = {
      poll: () => (this.typed.length > 0 || this.isAtEnd ? POLLIN | POLLRDNORM : 0),
      read: (_stream, buffer, offset, length) => this.read(FS, buffer, offset, length),
      getattr: () => FS.stat("/dev/null"),
    };
    FS.createStream({ path: "stdin", node, flags: 0, seekable: false, stream_ops: operations }, 0);
  }

  read(FS, buffer, offset, length) {
    const [first] = this.typed;
    if (!first) {
      if (this.isAtEnd) return 0;
      throw new FS.ErrnoError(EAGAIN);
    }
    const taken = first.subarray(0, length);
    buffer.set(taken, offset);
    if (taken.length < first.length) this.typed[0] = first.subarray(length);
    else this.typed.shift();
    return taken.length;
  }

  /** The person has typed this. */
  type(text) {
    if (text !== "") this.typed.push(new TextEncoder().encode(text));
    this.wake();
  }

  /** The person has ended the input. */
  end() {
    this.isAtEnd = true;
    this.wake();
  }

  wake() {
    if (this.node) this.machine.kernel.notifyStream(this.node.id);
  }

  /** Sends everything that was printed. */
  flush() {
    this.stdout.flush();
    this.stderr.flush();
  }
}

/** One of the two output streams. */
class Output {
  constructor(stream, post) {
    this.stream = stream;
    this.post = post;
    this.decoder = new TextDecoder();
    this.text = "";
    this.sentAt = 0;
    /** Sends the batch when the program prints no more; runs when the program waits or has had its turn. */
    this.timer = undefined;
  }

  write(bytes) {
    this.other.flush();
    this.text += this.decoder.decode(bytes, { stream: true });
    const isDue = performance.now() - this.sentAt >= BATCH_TIME;
    if (isDue || this.text.length >= BATCH_LENGTH) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), BATCH_TIME);
    return bytes.length;
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.text === "") return;
    this.post({ type: "output", stream: this.stream, text: this.text });
    this.text = "";
    this.sentAt = performance.now();
  }
}
