/**
 * What the Python layer can ask of the machine for UNIX sockets, which `unix.py` and `paths.py` call.
 */

import { O_CLOEXEC } from "./emscripten.js";

/**
 * @param {import("./machine.js").Machine} machine
 * @returns {Record<string, Function>}
 */
export function unixSockets(machine) {
  const { descriptors } = machine;
  return {
    /** The two descriptors of a socketpair(2), or one negated error number. */
    pair(kind) {
      const sockets = [...machine.kernel.pair(kind)];
      if (sockets.length < 2) return sockets;
      return sockets.map((socket) => descriptors.open(socket, kind | O_CLOEXEC));
    },
    /** Lays a path or an abstract name down and gives its handle. */
    layUnix: (name) => machine.kernel.layUnix(name.toJs()),
    /** The path or abstract name with this handle: a character for each byte. */
    unixOf: (handle) => latin1(machine.kernel.unixOf(handle)),
    changeDirectory: (path) => machine.kernel.changeDirectory(path.toJs()),
    /** Lays down what the look at a path that follows is about. */
    layPath(path, act, mode, to) {
      machine.path = { path: path.toJs(), act, mode, to: to.toJs() };
    },
    /** What that look has found: number, permission bits, seconds since 1970. */
    foundNode: () => machine.kernel.foundNode(),
    /** What a look into a directory has found, with slashes between: a character for each byte. */
    entries: () => latin1(machine.kernel.entries()),
  };
}

/** Bytes as a text with a character for each. */
function latin1(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
