/**
 * The near end of a bare WebSocket, in a worker: asks, takes the time, and posts what it found. It is told where the
 * far end is and how much to do.
 */

const MESSAGE = 64;
const WRITE = 64 * 1024;
/** The clock is coarse, so the median is taken of means over so many echoes. */
const BATCH = 16;

self.onmessage = async ({ data: { url, echoes, bytes } }) => {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => {
    socket.onopen = resolve;
  });
  const found = {};
  if (echoes) Object.assign(found, await echo(socket, echoes));
  if (bytes) {
    found.up = await speed(bytes, () => up(socket, bytes));
    found.down = await speed(bytes, () => down(socket, bytes));
  }
  socket.close();
  self.postMessage(found);
};

/** Says what is wanted, as the other near ends do: a letter, and a number of eight bytes. */
function ask(socket, kind, count) {
  const bytes = new DataView(new ArrayBuffer(9));
  bytes.setUint8(0, kind.charCodeAt(0));
  bytes.setBigUint64(1, BigInt(count), true);
  socket.send(bytes.buffer);
}

/** Resolves when so many bytes have come. */
function received(socket, count) {
  return new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      count -= data.byteLength;
      if (count <= 0) resolve();
    };
  });
}

function echo(socket, echoes) {
  const message = new Uint8Array(MESSAGE);
  const warm = Math.floor(echoes / 10);
  const ticks = [];
  ask(socket, "e", MESSAGE * (warm + echoes));
  return new Promise((resolve) => {
    socket.onmessage = () => {
      if (ticks.push(performance.now()) < warm + echoes) socket.send(message);
      else resolve(summary(ticks.slice(warm - 1)));
    };
    socket.send(message);
  });
}

function summary(ticks) {
  const differences = (step) => ticks.slice(step).map((tick, index) => ((tick - ticks[index]) * 1000) / step);
  const [single, batch] = [differences(1), differences(BATCH)];
  return { p50: quantile(single, 0.5), p99: quantile(single, 0.99), batch: quantile(batch, 0.5) };
}

function quantile(values, part) {
  return values.sort((a, b) => a - b)[Math.floor(part * (values.length - 1))];
}

async function speed(bytes, transfer) {
  const begin = performance.now();
  await transfer();
  return bytes / 1e3 / (performance.now() - begin);
}

function up(socket, bytes) {
  const filler = new Uint8Array(WRITE);
  ask(socket, "u", bytes);
  for (let sent = 0; sent < bytes; sent += WRITE) socket.send(filler);
  return received(socket, 1);
}

function down(socket, bytes) {
  ask(socket, "d", bytes);
  return received(socket, bytes);
}
