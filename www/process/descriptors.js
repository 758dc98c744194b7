/**
 * Descriptors. Sockets are real streams of Emscripten's file system, so that `fileno`, `dup`, `os.read` and a select on
 * mixed descriptors work as on Linux; `node.socket` is the kernel's number for the socket.
 */

import { FD_CLOEXEC, O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLIN, POLLNVAL, POLLOUT, POLLRDNORM, S_IFSOCK } from "./emscripten.js";

/** What a file is always ready for. */
const FILE_READY = POLLIN | POLLOUT | POLLRDNORM;

export class Descriptors {
  /** @param {import("./machine.js").Machine} machine */
  constructor(machine) {
    this.machine = machine;
    /** How many descriptors each open socket has, by its number. */
    this.references = new Map();
    this.operations = {
      dup: (stream) => this.count(stream.node.socket, +1),
      close: (stream) => this.count(stream.node.socket, -1),
      getattr: (stream) => attributes(stream.node),
    };
  }

  /** The stream behind a descriptor, or nothing. */
  stream(fd) {
    return this.machine.module.FS.streams[fd];
  }

  /**
   * Opens a descriptor for a new socket.
   *
   * @param {number} socket The kernel's number.
   * @param {number} flags May contain SOCK_NONBLOCK and SOCK_CLOEXEC, which are O_NONBLOCK and O_CLOEXEC.
   * @returns {number} The descriptor.
   */
  open(socket, flags) {
    const { FS, SOCKFS } = this.machine.module;
    const node = FS.createNode(SOCKFS.root, `socket:[${socket}]`, S_IFSOCK, 0);
    node.socket = socket;
    this.references.set(socket, 1);
    const stream = FS.createStream({
      path: node.name,
      node,
      flags: O_RDWR | (flags & (O_NONBLOCK | O_CLOEXEC)),
      seekable: false,
      stream_ops: this.operations,
    });
    return stream.fd;
  }

  /**
   * The flags of a descriptor itself, FD_CLOEXEC or none (fcntl(2)). Nothing is ever executed here, but programs ask.
   * A descriptor has those that it was opened with until it is given others; what is dup(2)licated shares the former.
   */
  flags(stream) {
    return stream.descriptorFlags ?? (stream.flags & O_CLOEXEC ? FD_CLOEXEC : 0);
  }

  /** Counts a socket's descriptors; without any it is closed. */
  count(socket, change) {
    const left = (this.references.get(socket) ?? 0) + change;
    if (left > 0) {
      this.references.set(socket, left);
      return;
    }
    this.references.delete(socket);
    this.machine.kernel.close(socket);
  }

  /**
   * What the kernel's poll needs to know of a descriptor: the socket, or zero with the node and what it is ready for.
   *
   * @param {number} fd
   * @returns {[number, number, number]}
   */
  pollTarget(fd) {
    if (fd < 0) return [0, -1, 0];
    const stream = this.stream(fd);
    if (!stream) return [0, 0, POLLNVAL];
    if (stream.node.socket) return [stream.node.socket, 0, 0];
    const poll = stream.stream_ops.poll;
    return [0, stream.node.id, poll ? poll(stream, -1) : FILE_READY];
  }

  /** Has waiting calls look again whenever a pipe is written to or closed. */
  watchPipes() {
    const { PIPEFS } = this.machine.module;
    for (const name of ["write", "close"]) {
      const original = PIPEFS.stream_ops[name];
      PIPEFS.stream_ops[name] = (stream, ...rest) => {
        const result = original(stream, ...rest);
        // Both ends share the pipe; the reader waits on its own node.
        const reader = this.machine.module.FS.streams.find(
          (other) => other && other.node.pipe === stream.node.pipe && other.node !== stream.node,
        );
        if (reader) this.machine.kernel.notifyStream(reader.node.id);
        return result;
      };
    }
  }
}

/** What fstat(2) says of a socket. */
function attributes(node) {
  const timestamp = new Date(0);
  return {
    dev: 8,
    ino: node.id,
    mode: S_IFSOCK | 0o777,
    nlink: 1,
    uid: 0,
    gid: 0,
    rdev: 0,
    size: 0,
    atime: timestamp,
    mtime: timestamp,
    ctime: timestamp,
    blksize: 4096,
    blocks: 0,
  };
}
