/** Emscripten's numbers, as far as they are needed here: errors are WASI's, everything else is Linux's. */

export const EAGAIN = 6;
export const EBADF = 8;
export const EINVAL = 28;
export const ENOTSOCK = 57;
export const EPERM = 63;

export const O_RDWR = 0o2;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export const FD_CLOEXEC = 1;
export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const FIONBIO = 0x5421;
export const FIONREAD = 0x541b;
export const SIOCATMARK = 0x8905;

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;

export const S_IFCHR = 0o020000;
export const S_IFREG = 0o100000;
export const S_IFSOCK = 0o140000;
