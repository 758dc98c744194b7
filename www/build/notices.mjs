// Writes `licences.txt`: whose work the page and the binary contain, and under which terms.

import { execFile } from "node:child_process";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** Text files in which packages state their terms. */
const LICENCE_FILE = /^(licen[cs]e|copying|notice|unlicense)([-._].*)?$/i;

/**
 * @typedef {object} Notice
 * @property {string} name package and version
 * @property {string} licence SPDX expression, as the package states it
 * @property {string} directory where its licence files lie
 */

/**
 * @param {string} www the www directory of the project
 * @param {string} staging where the page is being put together
 * @param {string[]} packages names of the npm packages that are part of the page
 */
export async function writeNotices(www, staging, packages) {
  const preface = await readFile(join(www, "build", "notices.txt"), "utf8");
  const notices = [...await npmNotices(www, packages), ...await crateNotices(dirname(www))];
  const list = notices.map(({ name, licence }) => `${name}: ${licence}`);
  await writeFile(join(staging, "licences.txt"), [preface, ...list, "", ...await texts(notices)].join("\n"));
}

/**
 * @param {string} www
 * @param {string[]} packages
 * @returns {Promise<Notice[]>}
 */
function npmNotices(www, packages) {
  return Promise.all(packages.map(async (name) => {
    const directory = join(www, "node_modules", name);
    const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8"));
    return { name: `${name} ${manifest.version} (npm)`, licence: manifest.license, directory };
  }));
}

/**
 * What the relay and the page are linked with; build tools and the tests' crates are not.
 *
 * @param {string} root the project
 * @returns {Promise<Notice[]>}
 */
async function crateNotices(root) {
  const { stdout } = await promisify(execFile)(
    "cargo",
    ["metadata", "--format-version", "1", "--offline"],
    { cwd: root, maxBuffer: 256 << 20 },
  );
  const { packages, resolve } = JSON.parse(stdout);
  const byId = new Map(packages.map((entry) => [entry.id, entry]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const seen = new Set(packages.filter(({ name, source }) => !source && ["relay", "web"].includes(name)).map(({ id }) => id));
  for (const id of seen) {
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (kinds.some(({ kind }) => kind === null)) {
        seen.add(pkg);
      }
    }
  }
  return [...seen]
    .map((id) => byId.get(id))
    .filter(({ source }) => source)
    .map(({ name, version, license, manifest_path: path }) => ({
      name: `${name} ${version} (crate)`,
      licence: license ?? "see its licence file",
      directory: dirname(path),
    }))
    .sort((left, right) => left.name.localeCompare(right.name));
}

/**
 * Each licence text once, below the names of all that use exactly it.
 *
 * @param {Notice[]} notices
 * @returns {Promise<string[]>}
 */
async function texts(notices) {
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const { name, directory } of notices) {
    const files = (await readdir(directory)).filter((file) => LICENCE_FILE.test(file)).sort();
    for (const file of files) {
      const text = await readFile(join(directory, file), "utf8").catch(() => "");
      if (text.trim()) {
        users.set(text, [...(users.get(text) ?? []), name]);
      }
    }
  }
  const rule = "=".repeat(100);
  return [...users].map(([text, names]) => `${rule}\n${names.join(", ")}\n${rule}\n\n${text.trim()}\n`);
}
