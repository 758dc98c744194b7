/**
 * A process: one program in one interpreter, in a worker of its own. The page boots it, starts it, types into it,
 * interrupts it, and ends it by ending the worker. The messages both ways are listed in ARCHITECTURE.md.
 */

import * as library from "../kernel.js";
import { boot } from "./engine.js";
import { Machine } from "./machine.js";
import { connect, ConnectionLost } from "./relay.js";
import { unixSockets } from "./unix.js";

const HOME = "/home/user";

/** Sends a message to the page. */
const post = (message, transfer = []) => self.postMessage(message, transfer);

const ready = library.default().then(() => new Machine(post, library));

/** What the page asked for before the interpreter was there. */
let booted;
let starting;

const handlers = {
  boot: ({ engine }) => {
    booted = ready.then(async (machine) => {
      const result = await boot(machine, engine, (step) => post({ type: "progress", step }));
      post({ type: "booted" });
      if (result.engine) post({ type: "engine", engine: result.engine });
      return { machine, pyodide: result.pyodide };
    });
    booted.catch(fail);
  },
  start: ({ program, relay }) => {
    starting = booted.then((parts) => run(parts, program, relay));
    starting.catch(fail);
  },
  input: ({ text }) => ready.then((machine) => machine.console.type(text)),
  eof: () => ready.then((machine) => machine.console.end()),
  interrupt: () => ready.then((machine) => machine.kernel && machine.interrupt()),
};

self.onmessage = ({ data }) => handlers[data.type](data);

/** Something broke that is not the program's fault. What was printed before is shown first. */
async function fail(error) {
  if (error instanceof ConnectionLost) return post({ type: "lost" });
  // Nothing was printed if there is no machine.
  const machine = await ready.catch(() => undefined);
  // Where the interpreter has trapped says more than the trap's name does; not every browser's stack has that name.
  if (error instanceof WebAssembly.RuntimeError) {
    machine?.console.stderr.write(new TextEncoder().encode(`${error}\n${error.stack}\n`));
  }
  machine?.console.flush();
  post({ type: "failed", reason: error instanceof Error ? error.message : String(error) });
}

/**
 * Runs a program to its end.
 *
 * @param {{machine: Machine, pyodide: object}} parts
 * @param {{file: string, files: Record<string, string>, args: string[]}} program
 * @param {{url: string, host: string, process: string}} relay
 */
async function run({ machine, pyodide }, program, relay) {
  const connection = await connect(machine, relay, {
    paused: () => post({ type: "paused" }),
    resumed: () => post({ type: "resumed" }),
    lost: fail,
  });
  const { FS } = machine.module;
  FS.mkdirTree(HOME);
  for (const [name, text] of Object.entries(program.files)) FS.writeFile(`${HOME}/${name}`, text);
  pyodide.registerJsModule("_socketpad_host", host(machine, relay));
  machine.kill = (signal, words) => {
    machine.console.stderr.write(new TextEncoder().encode(`${words}\n`));
    machine.console.flush();
    // The page ends the worker, and the relay its sockets.
    post({ type: "exit", status: 128 + signal, interrupted: false });
  };
  const main = pyodide.pyimport("_socketpad.program").main;
  machine.watch.begin();
  post({ type: "started", pid: machine.kernel.pid() });
  const result = await main.callPromising(`${HOME}/${program.file}`, pyodide.toPy(program.args));
  const [status, interrupted] = result.toJs();
  machine.console.flush();
  await connection.close();
  post({ type: "exit", status, interrupted });
}

/** What the Python layer can ask of the machine. */
function host(machine, relay) {
  return {
    name: relay.host,
    pid: machine.kernel.pid(),
    address: machine.kernel.address(),
    /** Tells where the running thread's identity lies, and which one is the main thread. */
    setThreads(cell, main) {
      machine.threadCell = cell;
      machine.mainThread = main;
      machine.sliceStart = performance.now();
      machine.kernel.setThreadCell(cell);
    },
    /** Starts a green thread: the function runs as a task of its own, from the next turn of the event loop on. */
    spawn(thread) {
      const kept = thread.copy();
      const ended = () => {
        kept.destroy();
        // What it sent last may have gathered, and everybody else may be waiting already.
        machine.kernel.flush();
      };
      kept.callPromising().catch(fail).finally(ended);
    },
    forgetThread: (thread) => machine.kernel.forgetThread(thread),
    /** Lays down what the setsockopt(2) that follows sets. */
    layOption(level, name, value) {
      machine.option = { level, name, bytes: value.toJs() };
    },
    /** Lays an IPv6 address down and gives its handle; zero if the text is none. */
    layInet6: (ip, port, flow, scope) => machine.kernel.layInet6(ip, port, flow, scope),
    inet6Of: (handle) => machine.kernel.inet6Of(handle),
    inet6Bytes: (text) => machine.library.Kernel.inet6Bytes(text),
    inet6Text: (bytes) => machine.library.Kernel.inet6Text(bytes.toJs()),
    /** The family and the type of the socket behind a descriptor, if there is one. */
    kindOf(fd) {
      const socket = machine.descriptors.stream(fd)?.node.socket;
      return socket ? machine.kernel.kindOf(socket) : undefined;
    },
    /** The alarm: seconds until it rings and from one ring to the next. */
    setAlarm: (delay, interval) => machine.alarm.set(1000 * delay, 1000 * interval),
    alarmLeft: () => machine.alarm.left() / 1000,
    alarmInterval: () => machine.alarm.interval / 1000,
    setAlarmAction(action) {
      machine.alarmAction = action;
    },
    servicePort: (name, protocol) => machine.library.Kernel.servicePort(name, protocol),
    serviceName: (port, protocol) => machine.library.Kernel.serviceName(port, protocol),
    interfaces: () => machine.library.Kernel.interfaces(),
    ...unixSockets(machine),
  };
}
