/**
 * The interpreter: loading it, preparing it, and the memory snapshot that makes the next one start at once.
 *
 * The first process of a first visit boots from nothing, imports what programs commonly use, and makes a snapshot. It
 * is kept in IndexedDB, so later visits, and every later process, start from it.
 */

import createPyodideModule from "../pyodide/pyodide.asm.mjs";
import { loadPyodide, version } from "../pyodide/pyodide.mjs";
import { Exceptions } from "./exceptions.js";
import { NEW_SLOT } from "./machine.js";
import { checkBrowser, checkExports, checkFrames, checkModule, checkVersion, PYODIDE_VERSION } from "./seams.js";
import { loadSnapshot, storeSnapshot } from "./snapshots.js";

const PYODIDE = new URL("../pyodide/", import.meta.url).href;
const WASM = `${PYODIDE}pyodide.asm.wasm`;
const PYTHON = new URL("./python/", import.meta.url).href;

/** The modules of the Python layer. */
const LAYER = [
  "__init__",
  "addresses",
  "ancillary",
  "calls",
  "constants",
  "descriptors",
  "errors",
  "frames",
  "loops",
  "names",
  "paths",
  "program",
  "readiness",
  "signals",
  "sockets",
  "threads",
  "unix",
];
const PACKAGE = "/lib/python3.14/site-packages/_socketpad";

/** What musl says of a failed look-up, and what glibc says (gai_strerror(3)). */
const LOOKUP_ERRORS = [
  [-1, "Invalid flags", -1, "Bad value for ai_flags"],
  [-2, "Name does not resolve", -2, "Name or service not known"],
  [-3, "Try again", -3, "Temporary failure in name resolution"],
  [-4, "Non-recoverable error", -4, "Non-recoverable failure in name resolution"],
  [-5, "Name has no usable address", -5, "No address associated with hostname"],
  [-6, "Unrecognized address family or invalid length", -6, "ai_family not supported"],
  [-7, "Unrecognized socket type", -7, "ai_socktype not supported"],
  [-8, "Unrecognized service", -8, "Servname not supported for ai_socktype"],
  [-9, "Unknown error", -9, "Address family for hostname not supported"],
  [-10, "Out of memory", -10, "Memory allocation failure"],
];

/** What CPython's buffered writer raises itself, with Emscripten's EAGAIN. */
const OWN_ERRORS = [[6, "write could not complete without blocking", 11, "write could not complete without blocking"]];

/**
 * Loads the interpreter into this worker.
 *
 * @param {import("./machine.js").Machine} machine
 * @param {{module: WebAssembly.Module, snapshot: Uint8Array} | null} engine From an earlier process of this visit.
 * @param {(step: string) => void} progress
 * @returns {Promise<{pyodide: object, engine: object | null}>} The engine, if this process has found or made it.
 */
export async function boot(machine, engine, progress) {
  checkBrowser();
  checkVersion(version);
  progress("download");
  const sources = engine ? null : await layerSources();
  const key = sources && snapshotKey(sources);
  const stored = key && (await loadSnapshot(key));
  const snapshot = engine?.snapshot ?? stored ?? null;
  if (!engine) progress("compile");
  const module = engine?.module ?? (await WebAssembly.compileStreaming(fetch(WASM)));
  progress("start");
  const pyodide = await load(machine, module, snapshot);
  checkModule(machine.module);
  if (!snapshot) await writeLayer(machine, sources);
  const rows = [...JSON.parse(machine.library.errorTable()), ...LOOKUP_ERRORS, ...OWN_ERRORS];
  if (!snapshot) prepare(machine, pyodide, rows);
  let made = engine ? null : { module, snapshot };
  if (!snapshot) {
    progress("snapshot");
    made = { module, snapshot: pyodide.makeMemorySnapshot() };
    storeSnapshot(key, made.snapshot);
  }
  checkFrames(machine, pyodide);
  machine.exceptions = new Exceptions(machine, rows);
  const types = JSON.parse(pyodide.runPython("import _socketpad.errors; _socketpad.errors.translated_types()"));
  machine.exceptions.install(types, machine.shimTable, NEW_SLOT, machine.shim.oserror_new);
  machine.furnish(pyodide);
  return { pyodide, engine: made };
}

/** Has Pyodide instantiate the given module, with our imports. */
async function load(machine, module, snapshot) {
  const { fetch, WebAssembly: { instantiateStreaming } } = globalThis;
  // Pyodide always fetches its own module; the one that is here must not be loaded again.
  globalThis.fetch = (url, ...rest) => (String(url) === WASM ? Promise.resolve(new Response()) : fetch(url, ...rest));
  WebAssembly.instantiateStreaming = async (_source, imports) => ({
    module,
    instance: await WebAssembly.instantiate(module, imports),
  });
  try {
    return await loadPyodide({
      indexURL: PYODIDE,
      lockFileContents: EMPTY_LOCK,
      packageBaseUrl: PYODIDE,
      env: { HOME: "/home/user", PYTHONINSPECT: "1" },
      ...(snapshot ? { _loadSnapshot: snapshot } : { _makeSnapshot: true }),
      createPyodideModule: (settings) => {
        const { instantiateWasm } = settings;
        settings.preRun.push((emscripten) => {
          machine.module = emscripten;
        });
        settings.instantiateWasm = (imports, done) => {
          machine.attach(imports);
          return instantiateWasm(imports, (instance, instantiated) => {
            checkExports(instance.exports);
            machine.attached(instance.exports);
            done(instance, instantiated);
          });
        };
        return createPyodideModule(settings);
      },
    });
  } finally {
    globalThis.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

/** A package list with no packages: nothing is ever loaded from elsewhere. */
const EMPTY_LOCK = JSON.stringify({
  info: { abi_version: "2026_0", arch: "wasm32", platform: "emscripten_5_0_3", python: "3.14.2", version: PYODIDE_VERSION },
  packages: {},
});

/** The Python layer's sources, by file name. */
async function layerSources() {
  const fetchSource = async (name) => {
    const response = await fetch(`${PYTHON}${name}.py`);
    if (!response.ok) throw new Error(`${name}.py could not be loaded (status ${response.status})`);
    return [`${name}.py`, await response.text()];
  };
  return Object.fromEntries(await Promise.all(LAYER.map(fetchSource)));
}

function writeLayer(machine, sources) {
  machine.module.FS.mkdirTree(PACKAGE);
  for (const [name, text] of Object.entries(sources)) machine.module.FS.writeFile(`${PACKAGE}/${name}`, text);
}

/** Installs the Python layer and imports what programs commonly use, for the snapshot. */
function prepare(machine, pyodide, rows) {
  const install = pyodide.runPython("import _socketpad; _socketpad.install");
  install(JSON.stringify(rows), machine.library.errorNames());
  install.destroy();
}

/** Names a snapshot by everything that is in it: Pyodide's version and the Python layer (FNV-1a, 64 bits). */
function snapshotKey(sources) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(JSON.stringify(sources))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return `${PYODIDE_VERSION}-${hash.toString(16)}`;
}
