/**
 * The process's connection to the relay: one WebSocket, opened with a hello and closed with a goodbye.
 */

const SUBPROTOCOL = "socketpad.v1";

/** How long a goodbye may take to leave, in milliseconds, before the process ends all the same. */
const GOODBYE_LIMIT = 1000;

/**
 * Connects a process to its lab.
 *
 * @param {import("./machine.js").Machine} machine
 * @param {{url: string, host: string, process: string}} where
 * @param {(error: Error) => void} onLost Called when the relay is gone before the process has said goodbye.
 * @returns {Promise<{close: () => Promise<void>}>} When the relay has welcomed the process.
 */
export function connect(machine, where, onLost) {
  const { kernel } = machine;
  const socket = new WebSocket(where.url, SUBPROTOCOL);
  socket.binaryType = "arraybuffer";
  machine.send = (bytes) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
  };
  return new Promise((resolve, reject) => {
    socket.onopen = () => socket.send(kernel.hello(where.host, where.process));
    socket.onmessage = ({ data }) => {
      kernel.receive(data);
      if (kernel.pid() !== 0) resolve({ close: () => close(machine, socket) });
    };
    socket.onclose = () => {
      const isWelcome = kernel.pid() !== 0;
      // What the relay has said last is the better reason.
      kernel.lose(isWelcome ? "the connection to the relay was lost" : "the relay could not be reached");
      const error = new Error(kernel.lost());
      if (isWelcome) onLost(error);
      else reject(error);
    };
  });
}

/** Says goodbye and closes the connection, as soon as everything has left. */
function close(machine, socket) {
  if (socket.readyState !== WebSocket.OPEN) return Promise.resolve();
  return new Promise((resolve) => {
    socket.onclose = () => resolve();
    setTimeout(resolve, GOODBYE_LIMIT);
    machine.kernel.goodbye();
    socket.close(1000);
  });
}
