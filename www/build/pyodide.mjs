// Which files of the npm package the browser needs to boot the interpreter.

/** Names in `node_modules/pyodide` that go to `dist/pyodide/` unchanged. */
export const pyodideFiles = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"];
