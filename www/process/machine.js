/**
 * The machine that a program runs on: the interpreter's module, the kernel, and what connects them.
 */

import { Alarm } from "./alarm.js";
import { Clock } from "./clock.js";
import { Console } from "./console.js";
import { Descriptors } from "./descriptors.js";
import { Epolls } from "./epoll.js";
import { instantCalls, tries } from "./imports.js";
import { Watch } from "./watch.js";

/** Slots of the shim's table; `build/shim.rs` names them too. */
export const SYNCIFY_SLOT = 0;
export const NEW_SLOT = 1;
export const DECREF_SLOT = 2;

/** The names of Pyodide's imports that convert and call between JavaScript and Python. */
const CONNECTING = /^(js2python|Js)/;

/** The signal that asks a running thread to let others have a turn. Programs use lower numbers. */
const TURN = 63;
const SIGINT = 2;
const SIGALRM = 14;

/** After so many milliseconds a running thread is asked to let others have a turn. */
const SLICE = 10;

export class Machine {
  /**
   * @param {(message: object) => void} post Sends a message to the page.
   * @param {typeof import("../kernel.js")} library The kernel's module.
   */
  constructor(post, library) {
    this.post = post;
    this.library = library;
    /** Emscripten's module of the interpreter, once it is instantiated. */
    this.module = null;
    /** The kernel, once there is memory. */
    this.kernel = null;
    this.descriptors = new Descriptors(this);
    this.epolls = new Epolls(this);
    this.console = new Console(this, post);
    this.clock = new Clock((token) => this.kernel.timeOut(token));
    this.watch = new Watch(post);
    /** How to let the calls that wait go on, by token. */
    this.waiting = new Map();
    /** Tokens that were woken before anybody waited. */
    this.woken = new Set();
    this.shimTable = new WebAssembly.Table({ initial: 3, maximum: 3, element: "anyfunc" });
    /** What the next setsockopt(2) sets. */
    this.option = null;
    /** What the next look at the path of a UNIX socket is about. */
    this.path = null;
    /** The running thread's identity and whether signals must wait: two numbers in the program's memory. */
    this.threadCell = 0;
    this.mainThread = 0;
    /** The signals that the main thread must handle. @type {Set<number>} */
    this.pendingSignals = new Set();
    this.alarm = new Alarm(() => this.checkAlarm(performance.now()));
    /** What the program does about SIGALRM: `default`, `ignored` or `handled`. */
    this.alarmAction = "default";
    /** Ends the process as a signal does. @type {(signal: number, words: string) => void} */
    this.kill = () => {};
    this.sliceStart = 0;
    /** Whose slice it is. */
    this.sliceThread = 0;
    /** Sends a WebSocket message. @type {(bytes: Uint8Array) => void} */
    this.send = () => {};
  }

  /**
   * Replaces the interpreter's imports, before it is instantiated.
   *
   * @param {Record<string, Record<string, Function>>} imports
   */
  attach(imports) {
    const { env, wasi_snapshot_preview1: wasi } = imports;
    const home = (name) => (name in env ? env : wasi);
    const original = {};
    const calls = tries(this, original);
    for (const name of Object.keys(calls)) original[name] = home(name)[name];
    const instant = instantCalls(this, original);
    for (const name of Object.keys(instant)) original[name] = home(name)[name];
    const missing = Object.keys(original).filter((name) => typeof original[name] !== "function");
    if (missing.length > 0) throw new Error(`the interpreter does not import ${missing.join(", ")}`);

    const shim = new WebAssembly.Module(this.library.shimModule());
    const instance = new WebAssembly.Instance(shim, {
      shim: {
        table: this.shimTable,
        promise: () => this.suspend(),
        forget: () => this.kernel.forget(),
        translate: (type, args) => this.exceptions.translate(type, args),
      },
      try: calls,
    });
    this.shim = instance.exports;
    for (const name of Object.keys(calls)) home(name)[name] = this.shim[name];
    Object.assign(env, instant);
    this.keepThreads(env);
    this.keepFrames(env);
  }

  /**
   * Has nothing suspended while what connects the two languages is at work: it calls Python code, as for the type of an
   * object, and a stack with a JavaScript frame on it cannot be suspended. Pyodide knows that of calls by proxies, but
   * not of these; a browser that finds out by itself throws right through the interpreter.
   */
  keepFrames(env) {
    for (const [name, call] of Object.entries(env)) {
      if (CONNECTING.test(name) && typeof call === "function") env[name] = this.unsuspended(call);
    }
  }

  /** @param {Function} call */
  unsuspended(call) {
    return (...args) => {
      const { validSuspender } = this.module;
      const { value } = validSuspender;
      validSuspender.value = false;
      try {
        return call(...args);
      } finally {
        validSuspender.value = value;
      }
    };
  }

  /**
   * Wraps what Pyodide does around a suspension. The thread's identity travels with it, and the collector must not
   * follow the frames of a suspended thread, whose stack may lie elsewhere (pyodide #6464, fixed after 314.0.7).
   */
  keepThreads(env) {
    const { saveState, restoreState } = env;
    const frame = (state) => (state.threadState + CURRENT_FRAME) >>> 2;
    env.saveState = () => {
      const state = saveState();
      if (!state?.threadState) return state;
      const { HEAP32 } = this.module;
      state.frame = HEAP32[frame(state)];
      HEAP32[frame(state)] = 0;
      if (this.threadCell) {
        state.thread = HEAP32[this.threadCell >>> 2];
        HEAP32[this.threadCell >>> 2] = 0;
      }
      return state;
    };
    env.restoreState = (state) => {
      const { HEAP32 } = this.module;
      HEAP32[frame(state)] = state.frame;
      if (this.threadCell) HEAP32[this.threadCell >>> 2] = state.thread;
      this.sliceStart = performance.now();
      return restoreState(state);
    };
  }

  /**
   * Takes over the interpreter after it was instantiated.
   *
   * @param {WebAssembly.Exports} exports
   */
  attached(exports) {
    this.shimTable.set(SYNCIFY_SLOT, exports.syscall_syncify);
    this.shimTable.set(DECREF_SLOT, exports.Py_DecRef);
    this.kernel = new this.library.Kernel(exports.memory, this);
  }

  /** Puts the program's surroundings in place, once the interpreter runs. */
  furnish(pyodide) {
    this.console.install(pyodide);
    this.descriptors.watchPipes();
    pyodide.setInterruptBuffer(new SignalBuffer(this));
  }

  /** What the shim suspends on: settled when the call that just blocked is to be tried again. */
  suspend() {
    this.kernel.flush();
    const token = this.kernel.blocked();
    if (this.runningThread() === this.mainThread) this.watch.waits(token);
    return new Promise((resolve) => {
      if (this.woken.delete(token)) resolve(token);
      else this.waiting.set(token, resolve);
    });
  }

  // What the kernel's `Glue` does.

  wake(token) {
    this.clock.cancel(token);
    this.watch.goesOn(token);
    const resolve = this.waiting.get(token);
    if (resolve) {
      this.waiting.delete(token);
      resolve(token);
    } else {
      this.woken.add(token);
    }
  }

  timer(token, delay) {
    this.clock.start(token, delay);
  }

  now() {
    return performance.now();
  }

  reachable(call, address) {
    this.post({ type: "ready", call, address });
  }

  malloc(size) {
    return this.module._malloc(size);
  }

  /** The running thread's identity; zero between threads and before the program. */
  runningThread() {
    return this.threadCell ? this.module.HEAP32[this.threadCell >>> 2] : 0;
  }

  /** Ctrl-C. */
  interrupt() {
    this.raise(SIGINT);
  }

  /** Has the main thread handle a signal, which ends what it waits in. */
  raise(signal) {
    this.pendingSignals.add(signal);
    this.kernel.interrupt(this.mainThread);
  }

  /** Sends SIGALRM if its time has come. */
  checkAlarm(now) {
    if (!this.alarm.rings(now)) return;
    if (this.alarmAction === "handled") this.raise(SIGALRM);
    if (this.alarmAction === "default") this.kill(SIGALRM, "Alarm clock");
  }

  /** The signal that the running thread must handle now, or zero. Asked for every few dozen bytecode instructions. */
  signal() {
    const thread = this.runningThread();
    if (thread === 0) return 0;
    const isMasked = this.module.HEAP32[(this.threadCell >>> 2) + 1] !== 0;
    if (isMasked) return 0;
    const now = performance.now();
    if (now >= this.alarm.due) this.checkAlarm(now);
    if (this.pendingSignals.size > 0 && thread === this.mainThread) {
      const [signal] = this.pendingSignals;
      this.pendingSignals.delete(signal);
      return signal;
    }
    if (thread !== this.sliceThread) {
      // A thread that has just begun gets a whole slice.
      this.sliceThread = thread;
      this.sliceStart = now;
    }
    if (now - this.sliceStart < SLICE) return 0;
    this.sliceStart = now;
    this.kernel.flush();
    return TURN;
  }
}

/** The offset of `current_frame` in a `PyThreadState` of CPython 3.14.2 on 32 bits; `seams.js` checks it. */
export const CURRENT_FRAME = 52;

/** What CPython's Emscripten port reads signals from: usually shared memory, here a question to the machine. */
class SignalBuffer {
  constructor(machine) {
    Object.defineProperty(this, "0", { get: () => machine.signal(), set: () => {} });
  }
}
