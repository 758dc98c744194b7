/**
 * Pins and self-tests of everything in Pyodide that this product leans on and that Pyodide does not promise. When one
 * does not fit, the process refuses to start with a sentence, instead of failing somewhere later.
 */

import { CURRENT_FRAME } from "./machine.js";

/** The only version whose insides are known here. */
export const PYODIDE_VERSION = "314.0.7";

export class SeamError extends Error {
  constructor(detail) {
    super(`this Pyodide is not the one Socketpad was made for: ${detail}`);
  }
}

/** What must be there before Pyodide is loaded. */
export function checkBrowser() {
  if (!("Suspending" in WebAssembly)) {
    throw new Error(
      "this browser cannot suspend WebAssembly (JS Promise Integration); " +
        "Chrome and Edge can from version 137, Firefox from 153, Safari from 27",
    );
  }
}

/** @param {string} version */
export function checkVersion(version) {
  if (version !== PYODIDE_VERSION) throw new SeamError(`it is version ${version}, not ${PYODIDE_VERSION}`);
}

/**
 * What must be exported by the interpreter's module.
 *
 * @param {WebAssembly.Exports} exports
 */
export function checkExports(exports) {
  for (const name of ["syscall_syncify", "Py_DecRef", "memory", "__indirect_function_table"]) {
    if (!(name in exports)) throw new SeamError(`its module does not export ${name}`);
  }
}

/** What must be in Emscripten's module. */
export function checkModule(module) {
  const functions = ["UTF8ToString", "_PyThreadState_Get", "_PyTuple_New"];
  for (const name of ["FS", "SOCKFS", "PIPEFS", "wasmTable", "validSuspender", ...functions]) {
    if (!module[name]) throw new SeamError(`${name} is missing`);
  }
}

/**
 * Whether `current_frame` lies where it is expected: it must follow the depth of the running Python code.
 *
 * @param {import("./machine.js").Machine} machine
 */
export function checkFrames(machine, pyodide) {
  const { module } = machine;
  const frames = [];
  const look = () => frames.push(module.HEAP32[(module._PyThreadState_Get() + CURRENT_FRAME) >>> 2]);
  const probe = pyodide.runPython("def outer(look):\n  look()\n  (lambda: look())()\n  look()\nouter");
  probe(look);
  probe.destroy();
  const [outer, inner, again] = frames;
  if (!outer || !inner || outer === inner || outer !== again) {
    throw new SeamError("the thread state's current frame is not where it was");
  }
}
