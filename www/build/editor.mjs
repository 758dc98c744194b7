// Bundles the editor shim with CodeMirror into one module.

import { join } from "node:path";
import { build } from "esbuild";

/**
 * Writes `editor.js` to `staging`.
 *
 * @param {string} www the www directory of the project
 * @param {string} staging where the page is being put together
 * @param {boolean} release whether to minify; otherwise a source map goes in
 * @returns {Promise<string[]>} names of the npm packages that became part of the bundle
 */
export async function bundleEditor(www, staging, release) {
  const result = await build({
    absWorkingDir: www,
    entryPoints: ["editor/editor.js"],
    outfile: join(staging, "editor.js"),
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    minify: release,
    sourcemap: release ? false : "inline",
    metafile: true,
    logLevel: "warning",
  });
  const names = Object.keys(result.metafile.inputs).flatMap((path) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return name ? [name] : [];
  });
  return [...new Set(names)].sort();
}
