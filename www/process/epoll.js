/**
 * epoll instances. Each is a stream of Emscripten's file system, so that it has a descriptor and can be polled itself;
 * `node.epoll` is the kernel's number for it.
 */

import { EBADF, EINVAL, EPERM, O_CLOEXEC, O_RDWR, POLLIN, POLLRDNORM, S_IFREG } from "./emscripten.js";

export class Epolls {
  /** @param {import("./machine.js").Machine} machine */
  constructor(machine) {
    this.machine = machine;
    this.operations = {
      poll: (stream) => (this.isReady(stream.node.epoll) ? POLLIN | POLLRDNORM : 0),
      dup: (stream) => {
        stream.node.references += 1;
      },
      close: (stream) => {
        stream.node.references -= 1;
        if (stream.node.references === 0) this.machine.kernel.closeEpoll(stream.node.epoll);
      },
      getattr: () => this.machine.module.FS.stat("/dev/null"),
    };
  }

  /** epoll_create1(2): the descriptor. */
  create() {
    const { FS, SOCKFS } = this.machine.module;
    const node = FS.createNode(SOCKFS.root, "anon_inode:[eventpoll]", S_IFREG, 0);
    node.epoll = this.machine.kernel.epoll(node.id);
    node.references = 1;
    const settings = { path: node.name, node, flags: O_RDWR | O_CLOEXEC, seekable: false, stream_ops: this.operations };
    return FS.createStream(settings).fd;
  }

  /** The instance behind a descriptor, or a negated error number. */
  instance(fd) {
    const stream = this.machine.descriptors.stream(fd);
    if (!stream) return -EBADF;
    return stream.node.epoll ?? -EINVAL;
  }

  /** epoll_ctl(2); the three numbers at this address are the operation, the descriptor and the events. */
  control(epfd, at) {
    const epoll = this.instance(epfd);
    if (epoll < 0) return epoll;
    const [operation, fd, events] = this.machine.module.HEAP32.subarray(at >>> 2, (at >>> 2) + 3);
    const stream = this.machine.descriptors.stream(fd);
    if (!stream) return -EBADF;
    const { node } = stream;
    if (node.epoll === epoll) return -EINVAL;
    if (!node.socket && !stream.stream_ops.poll) return -EPERM;
    return this.machine.kernel.epollControl(epoll, operation, fd, node.socket ?? 0, node.id, events);
  }

  /** epoll_wait(2); the two numbers at this address are the time-out and the most, and become what is ready. */
  wait(token, epfd, at) {
    const epoll = this.instance(epfd);
    if (epoll < 0) return epoll;
    const [timeout, most] = this.machine.module.HEAP32.subarray(at >>> 2, (at >>> 2) + 2);
    return this.machine.kernel.epollWait(token, epoll, at, most, timeout, this.streams(epoll));
  }

  isReady(epoll) {
    return this.machine.kernel.epollReady(epoll, this.streams(epoll));
  }

  /** What the descriptors that are no sockets are ready for, negative if they stand for something else by now. */
  streams(epoll) {
    const watched = this.machine.kernel.epollStreams(epoll);
    for (let index = 0; index < watched.length; index += 2) {
      const stream = this.machine.descriptors.stream(watched[index]);
      const isSame = stream && stream.node.id === watched[index + 1];
      watched[index + 1] = isSame ? stream.stream_ops.poll(stream, -1) : -1;
    }
    return watched;
  }
}
