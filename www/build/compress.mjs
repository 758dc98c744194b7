// Writes the brotli and gzip siblings of a built page (`app.wasm.br`, `app.wasm.gz`), so that the relay compresses
// nothing at run time. Compressed bytes are kept by content hash: what did not change is not compressed again.
//
//     node compress.mjs CACHE DIST    adds the siblings to every file of DIST
//     node compress.mjs CACHE         only fills CACHE with the interpreter, which is known before the page is built

import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rename, stat, writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { pyodideFiles } from "./pyodide.mjs";

/** Files below this many bytes travel in one packet anyway. */
const SMALLEST = 1024;
/** What gains from compression; pictures, fonts and zip archives are compressed already. */
const COMPRESSIBLE = new Set([
  ".css", ".html", ".js", ".json", ".map", ".md", ".mjs", ".py", ".svg", ".txt", ".wasm", ".webmanifest", ".xml",
]);

const brotli = promisify(brotliCompress);
const encoders = {
  br: (bytes) => brotli(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }),
  gz: (bytes) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

const [cache, dist] = process.argv.slice(2);
if (!cache) {
  throw new Error("usage: compress.mjs CACHE [DIST]");
}

/**
 * @param {string} path a file that is worth compressing
 * @returns {Promise<{encoding: string, stored: string}[]>} where its compressed forms are kept
 */
async function compress(path) {
  const bytes = await readFile(path);
  const hash = createHash("sha256").update(bytes).digest("hex");
  return Promise.all(Object.entries(encoders).map(async ([encoding, encode]) => {
    const stored = join(cache, `${hash}.${encoding}`);
    if (!(await exists(stored))) {
      // Renamed when complete, so that a build that was stopped leaves no half file.
      const partial = `${stored}.${process.pid}`;
      await writeFile(partial, await encode(bytes));
      await rename(partial, stored);
    }
    return { encoding, stored };
  }));
}

/** @param {string} path */
async function exists(path) {
  return stat(path).then(() => true, () => false);
}

/** @param {string} path */
async function worthwhile(path) {
  const entry = await stat(path);
  return entry.isFile() && entry.size > SMALLEST && COMPRESSIBLE.has(extname(path));
}

await mkdir(cache, { recursive: true });
if (dist) {
  const names = await readdir(dist, { recursive: true });
  await Promise.all(names.map(async (name) => {
    const path = join(dist, name);
    if (await worthwhile(path)) {
      const forms = await compress(path);
      await Promise.all(forms.map(({ encoding, stored }) => copyFile(stored, `${path}.${encoding}`)));
    }
  }));
} else {
  // Runs beside cargo, which matters more.
  setPriority(10);
  const pyodide = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules", "pyodide");
  for (const name of pyodideFiles) {
    const path = join(pyodide, name);
    if (await worthwhile(path)) {
      await compress(path);
    }
  }
}
