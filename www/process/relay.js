/**
 * The process's connection to the relay: one WebSocket, opened with a hello and closed with a goodbye. When it is lost,
 * another one takes its place, and the program notices only a pause.
 */

const SUBPROTOCOL = "socketpad.v1";

/** How long a goodbye may take to leave, in milliseconds, before the process ends all the same. */
const GOODBYE_LIMIT = 1000;

/** The status of a WebSocket that is left for another one (docs/PROTOCOL.md). */
const LEFT = 4000;

/** How often the kernel looks at its connection, in milliseconds. */
const TICK = 1000;

/** How long is waited before each try to connect again, in milliseconds; the last one from then on. */
const BACK_OFF = [0, 250, 500, 1000, 2000];

/** How long one try may take, in milliseconds. */
const TRY_LIMIT = 5000;

/** The relay is gone, and there was no way back to the session. */
export class ConnectionLost extends Error {}

/** A process's way to its lab, over as many WebSockets as it takes. */
class Connection {
  /**
   * @param {import("./machine.js").Machine} machine
   * @param {string} url
   * @param {{welcomed: () => void, paused: () => void, resumed: () => void, lost: (error: Error) => void}} events
   */
  constructor(machine, url, events) {
    this.kernel = machine.kernel;
    this.url = url;
    this.events = events;
    /** The WebSocket, if there is one. @type {WebSocket | null} */
    this.socket = null;
    /** Until when another connection is tried; zero while there is one. */
    this.deadline = 0;
    this.tries = 0;
    /** When the next try begins, or the last one has taken too long. */
    this.timer = 0;
    /** Settles the goodbye, once that was said. @type {(() => void) | null} */
    this.left = null;
    this.leaving = 0;
    machine.send = (bytes) => {
      if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(bytes);
    };
    setInterval(() => {
      if (this.kernel.tick()) this.change();
    }, TICK);
    // A network that has just come back is not the one that the connection went over.
    self.addEventListener("online", () => this.change());
  }

  /** Opens a WebSocket and says this first. */
  open(greeting) {
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(greeting);
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = ({ code }) => this.closed(code);
    this.socket = socket;
  }

  receive(data) {
    const { kernel } = this;
    const wasWelcome = kernel.pid() !== 0;
    kernel.receive(data);
    if (kernel.lost()) {
      this.socket.close();
      return;
    }
    if (kernel.pid() === 0) return;
    if (!wasWelcome) this.events.welcomed();
    else if (this.deadline !== 0 && kernel.isLinked()) this.resumed();
  }

  /** The WebSocket is gone. */
  closed(code) {
    this.socket = null;
    if (this.left && (code === 1000 || this.kernel.lost())) this.finish();
    else if (this.kernel.pid() === 0) this.lose("the relay could not be reached");
    else this.pause();
  }

  /** The connection is no use, whatever it looks like: takes another one. */
  change() {
    if (this.kernel.pid() === 0 || this.kernel.lost()) return;
    this.abandon();
    this.tries = 0;
    this.pause();
  }

  abandon() {
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close(LEFT);
    this.socket = null;
  }

  /** Waits a little and tries to come back, until it is no use any more. */
  pause() {
    clearTimeout(this.timer);
    clearTimeout(this.leaving);
    const limit = this.kernel.cut();
    const now = performance.now();
    if (this.deadline === 0 && limit !== 0) {
      this.deadline = now + limit;
      this.events.paused();
    }
    if (limit === 0 || this.deadline < now) {
      this.lose("the connection to the relay was lost");
      return;
    }
    const delay = BACK_OFF[Math.min(this.tries, BACK_OFF.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.comeBack(), delay);
  }

  comeBack() {
    this.open(this.kernel.resumption());
    this.timer = setTimeout(() => {
      this.abandon();
      this.pause();
    }, TRY_LIMIT);
  }

  resumed() {
    clearTimeout(this.timer);
    this.deadline = 0;
    this.tries = 0;
    this.events.resumed();
    if (this.left) this.hangUp();
  }

  /** There is no way back. What the relay has said last is the better reason. */
  lose(reason) {
    clearTimeout(this.timer);
    const wasPaused = this.deadline !== 0;
    this.kernel.lose(reason);
    const error = this.kernel.lost();
    if (this.left) this.finish();
    else this.events.lost(wasPaused ? new ConnectionLost(error) : new Error(error));
  }

  /** Says goodbye and closes the connection, as soon as everything has left. */
  close() {
    return new Promise((resolve) => {
      this.left = resolve;
      if (this.kernel.lost()) return this.finish();
      this.kernel.goodbye();
      if (this.kernel.isLinked()) this.hangUp();
    });
  }

  hangUp() {
    this.socket.close(1000);
    this.leaving = setTimeout(() => this.finish(), GOODBYE_LIMIT);
  }

  finish() {
    clearTimeout(this.timer);
    clearTimeout(this.leaving);
    this.left();
  }
}

/**
 * Connects a process to its lab.
 *
 * @param {import("./machine.js").Machine} machine
 * @param {{url: string, host: string, process: string}} where
 * @param {{paused: () => void, resumed: () => void, lost: (error: Error) => void}} events What happens after the welcome:
 *     the connection is lost and may come back, is back, or is gone before the process has said goodbye.
 * @returns {Promise<{close: () => Promise<void>}>} When the relay has welcomed the process.
 */
export function connect(machine, where, events) {
  return new Promise((resolve, reject) => {
    let settle = reject;
    const connection = new Connection(machine, where.url, {
      ...events,
      welcomed: () => {
        settle = events.lost;
        resolve(connection);
      },
      lost: (error) => settle(error),
    });
    connection.open(machine.kernel.hello(where.host, where.process));
  });
}
