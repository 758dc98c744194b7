/**
 * The system calls that are replaced, as tries: none of them blocks. A try gets the call's own arguments and a token
 * (zero at first) and returns what the call returns, or `BLOCKED` from the kernel. The shim around them suspends the
 * program and tries again; `build/shim.rs` in the web crate explains why it is WebAssembly.
 *
 * This file only translates descriptors, which are Emscripten's, to sockets, which are the kernel's.
 */

import {
  EBADF,
  EINVAL,
  ENOTSOCK,
  FD_CLOEXEC,
  F_DUPFD,
  F_DUPFD_CLOEXEC,
  F_GETFD,
  F_SETFL,
  FIONBIO,
  FIONREAD,
  O_NONBLOCK,
  POLLHUP,
  POLLIN,
  SIOCATMARK,
} from "./emscripten.js";

/** Requests of the Python layer, as ioctl(2) numbers that no device uses. */
const PARK = 0x53500001;
const UNPARK = 0x53500002;
const SLEEP = 0x53500003;
const SET_OPTION = 0x53500004;
const SOCKET = 0x53500005;
const NODE = 0x53500006;
const LIST = 0x53500007;
const CLOSE_ON_EXEC = 0x53500008;
const EPOLL_CREATE = 0x53500010;
const EPOLL_CONTROL = 0x53500011;
const EPOLL_WAIT = 0x53500012;

/**
 * @param {import("./machine.js").Machine} machine
 * @param {Record<string, Function>} original The imports that are replaced, by name.
 * @returns {Record<string, Function>} The tries, by the names of the imports.
 */
export function tries(machine, original) {
  const { descriptors } = machine;
  const onSocket = socketCalls(machine);

  const calls = {
    __syscall_socket: (domain, kind, protocol, _1, _2, _3, token) =>
      made(machine, machine.kernel.socket(token, domain, kind, protocol), kind),

    __syscall_bind: (fd, address, length, _1, _2, _3, token) =>
      onSocket(fd, (kernel, socket) => kernel.bind(token, socket, address, length)),

    __syscall_listen: (fd, backlog, _1, _2, _3, _4, token) =>
      onSocket(fd, (kernel, socket) => kernel.listen(token, socket, backlog)),

    __syscall_accept4: (fd, address, length, flags, _1, _2, token) =>
      onSocket(fd, (kernel, listener, streamFlags) => {
        const accepted = kernel.accept(token, listener, streamFlags);
        if (accepted <= 0) return accepted;
        kernel.peerName(0, accepted, address, length);
        return descriptors.open(accepted, flags);
      }),

    __syscall_connect: (fd, address, length, _1, _2, _3, token) =>
      onSocket(fd, (kernel, socket, flags) => kernel.connect(token, socket, address, length, flags)),

    __syscall_getsockname: (fd, address, length, _1, _2, _3, token) =>
      onSocket(fd, (kernel, socket) => kernel.localName(token, socket, address, length)),

    __syscall_getpeername: (fd, address, length, _1, _2, _3, token) =>
      onSocket(fd, (kernel, socket) => kernel.peerName(token, socket, address, length)),

    __syscall_getsockopt: (fd, level, name, value, length, _1, token) =>
      onSocket(fd, (kernel, socket) => kernel.getOption(token, socket, level, name, value, length)),

    __syscall_recvfrom: (fd, buffer, size, flags, address, length, token) =>
      onSocket(fd, (kernel, socket, streamFlags) =>
        kernel.recv(token, socket, buffer, size, flags, streamFlags, address, length)),

    __syscall_recvmsg: (fd, message, flags, _1, _2, _3, token) =>
      onSocket(fd, (kernel, socket, streamFlags) => kernel.recvMessage(token, socket, message, flags, streamFlags)),

    __syscall_sendto: (fd, buffer, size, flags, address, length, token) =>
      onSocket(fd, (kernel, socket, streamFlags) =>
        kernel.send(token, socket, buffer, size, flags, streamFlags, address, length)),

    __syscall_sendmsg: (fd, message, flags, _1, _2, _3, token) =>
      onSocket(fd, (kernel, socket, streamFlags) => kernel.sendMessage(token, socket, message, flags, streamFlags)),

    __syscall_poll: (fds, count, timeout, token) => {
      const targets = new Int32Array(3 * count);
      for (let index = 0; index < count; index++) {
        targets.set(descriptors.pollTarget(machine.module.HEAP32[(fds + 8 * index) >>> 2]), 3 * index);
      }
      return machine.kernel.poll(token, fds, targets, timeout);
    },

    __syscall_ioctl: (fd, request, argument, token) => {
      const value = () => machine.module.HEAP32[argument >>> 2];
      switch (request) {
        case PARK:
          machine.watch.call = "lock";
          return machine.kernel.park(token, value());
        case SLEEP:
          machine.watch.call = "sleep";
          return machine.kernel.sleep(token, value());
        case UNPARK:
          machine.kernel.unpark(value());
          return 0;
        case SET_OPTION:
          return onSocket(fd, (kernel, socket) => {
            const { level, name, bytes } = machine.option;
            return kernel.setOption(token, socket, level, name, bytes);
          });
        case SOCKET: {
          // The family, the protocol and the type, from the lowest byte up.
          const packed = value();
          const type = packed >> 16;
          return made(machine, machine.kernel.socket(token, packed & 0xff, type, (packed >> 8) & 0xff), type);
        }
        case EPOLL_CREATE:
          return machine.epolls.create();
        case EPOLL_CONTROL:
          return machine.epolls.control(fd, value());
        case EPOLL_WAIT:
          machine.watch.call = "select";
          return machine.epolls.wait(token, fd, value());
        case NODE: {
          const { path, act, mode, to } = machine.path;
          return machine.kernel.node(token, path, act, mode, to);
        }
        case LIST:
          return machine.kernel.list(token, machine.path.path);
        case FIONBIO: {
          const stream = descriptors.stream(fd);
          if (!stream) return -EBADF;
          const on = machine.module.HEAP32[value() >>> 2] !== 0;
          stream.flags = on ? stream.flags | O_NONBLOCK : stream.flags & ~O_NONBLOCK;
          return 0;
        }
        case CLOSE_ON_EXEC: {
          const stream = descriptors.stream(fd);
          if (!stream) return -EBADF;
          stream.descriptorFlags = value() ? FD_CLOEXEC : 0;
          return 0;
        }
        case FIONREAD:
          return -EINVAL;
        case SIOCATMARK:
          return onSocket(fd, (kernel, socket) => {
            const result = kernel.atMark(token, socket);
            if (result < 0) return result;
            machine.module.HEAP32[value() >>> 2] = result;
            return 0;
          });
        default:
          return original.__syscall_ioctl(fd, request, argument);
      }
    },

    fd_read: (fd, vector, length, result, token) => {
      const stream = descriptors.stream(fd);
      if (stream?.node.socket) {
        machine.watch.call = "recv";
        return transferred(machine, result, machine.kernel.readVector(token, stream.node.socket, vector, length, stream.flags));
      }
      const poll = stream?.stream_ops.poll;
      const mustWait = poll && !(stream.flags & O_NONBLOCK) && !(poll(stream) & (POLLIN | POLLHUP));
      if (mustWait && stream.node !== machine.console.node) machine.watch.call = "read";
      if (mustWait) return wasi(machine.kernel.waitStream(token, stream.node.id));
      return original.fd_read(fd, vector, length, result);
    },

    fd_write: (fd, vector, length, result, token) => {
      const stream = descriptors.stream(fd);
      if (!stream?.node.socket) return original.fd_write(fd, vector, length, result);
      return transferred(machine, result, machine.kernel.writeVector(token, stream.node.socket, vector, length, stream.flags));
    },

    getaddrinfo: (node, service, hints, result, token) => machine.kernel.lookUp(token, node, service, hints, result),

    getnameinfo: (address, size, host, hostSize, service, serviceSize, flags, token) =>
      machine.kernel.nameOf(token, address, size, host, hostSize, service, serviceSize, flags),
  };
  for (const [name, word] of Object.entries(WORDS)) {
    const call = calls[name];
    calls[name] = (...args) => {
      machine.watch.call = word;
      return call(...args);
    };
  }
  return calls;
}

/** What the calls are called for people. */
const WORDS = {
  __syscall_accept4: "accept",
  __syscall_connect: "connect",
  __syscall_recvfrom: "recv",
  __syscall_recvmsg: "recv",
  __syscall_sendto: "send",
  __syscall_sendmsg: "send",
  __syscall_poll: "select",
  fd_read: "input",
};

/** The descriptor of a new socket, or why there is none. */
const made = (machine, socket, kind) => (socket <= 0 ? socket : machine.descriptors.open(socket, kind));

/**
 * Runs calls on the socket behind a descriptor.
 *
 * @param {import("./machine.js").Machine} machine
 * @returns {(fd: number, call: (kernel: object, socket: number, flags: number) => number) => number}
 */
function socketCalls(machine) {
  return (fd, call) => {
    const stream = machine.descriptors.stream(fd);
    if (!stream) return -EBADF;
    if (!stream.node.socket) return -ENOTSOCK;
    return call(machine.kernel, stream.node.socket, stream.flags);
  };
}

/** What WASI's calls return: zero or a positive error number. `BLOCKED` is the one number with no positive twin. */
const wasi = (result) => (result < 0 ? -result | 0 : 0);

/** Stores how many bytes were moved where WASI wants it. */
function transferred(machine, result, moved) {
  if (moved < 0) return wasi(moved);
  machine.module.HEAPU32[result >>> 2] = moved;
  return 0;
}

/**
 * The system calls that are replaced and never block.
 *
 * @param {import("./machine.js").Machine} machine
 * @param {Record<string, Function>} original
 * @returns {Record<string, Function>}
 */
export function instantCalls(machine, original) {
  const { descriptors } = machine;
  const onSocket = socketCalls(machine);
  return {
    __syscall_fcntl64: (fd, command, argument) => {
      const stream = descriptors.stream(fd);
      if (!stream) return -EBADF;
      const value = () => machine.module.HEAP32[argument >>> 2];
      switch (command) {
        case F_GETFD:
          return descriptors.flags(stream);
        case F_DUPFD:
        case F_DUPFD_CLOEXEC: {
          const twin = original.__syscall_fcntl64(fd, F_DUPFD, argument);
          if (twin >= 0) descriptors.stream(twin).descriptorFlags = command === F_DUPFD ? 0 : FD_CLOEXEC;
          return twin;
        }
        case F_SETFL:
          // Emscripten's own can only set O_NONBLOCK, never clear it.
          stream.flags = (stream.flags & ~O_NONBLOCK) | (value() & O_NONBLOCK);
          return 0;
        default:
          return original.__syscall_fcntl64(fd, command, argument);
      }
    },

    /** The hook that Pyodide's own shutdown(2) asks; true says that the result is where it wants it. */
    _try_shutdown: (fd, how, result) => {
      machine.module.HEAP32[result >>> 2] = onSocket(fd, (kernel, socket) => kernel.shutdown(socket, how));
      return 1;
    },
  };
}
