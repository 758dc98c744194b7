// The part of the page that is neither Rust, HTML nor style sheet: Trunk runs this as its build hook, and what is
// written to the staging directory becomes part of dist/.

import { copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleEditor } from "./editor.mjs";
import { writeNotices } from "./notices.mjs";
import { pyodideFiles } from "./pyodide.mjs";

const www = dirname(dirname(fileURLToPath(import.meta.url)));
const { TRUNK_STAGING_DIR: staging, TRUNK_PROFILE: profile } = process.env;
if (!staging) {
  throw new Error("TRUNK_STAGING_DIR is not set: this script is a hook of `trunk build`");
}

/** Copies the process worker with its Python layer, without what running the Python locally leaves behind. */
async function copyProcess() {
  await cp(join(www, "process"), join(staging, "process"), {
    recursive: true,
    filter: (path) => !path.includes("__pycache__") && !path.endsWith(".md"),
  });
}

/** Copies the interpreter, with a list of packages that says there are none: nothing is ever fetched from elsewhere. */
async function copyPyodide() {
  const from = join(www, "node_modules", "pyodide");
  const to = join(staging, "pyodide");
  await mkdir(to, { recursive: true });
  await Promise.all(pyodideFiles.map((name) => copyFile(join(from, name), join(to, name))));
  const lock = JSON.parse(await readFile(join(from, "pyodide-lock.json"), "utf8"));
  await writeFile(join(to, "pyodide-lock.json"), JSON.stringify({ info: lock.info, packages: {} }));
}

/** Bundles the editor and, in a release, writes whose work the page contains. */
async function buildEditor() {
  const packages = await bundleEditor(www, staging, profile === "release");
  if (profile === "release") {
    await writeNotices(www, staging, [...packages, "pyodide"]);
  }
}

await Promise.all([
  copyFile(join(www, "start.js"), join(staging, "start.js")),
  copyProcess(),
  copyPyodide(),
  buildEditor(),
]);
