// Finds the interpreters that might run the action, best first. It starts none: Python checks its own version.
const fs = require("node:fs");
const path = require("node:path");
const newestFirst = (names) => [...new Set(names)].sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
const attempt = (action, otherwise) => { try { return action(); } catch { return otherwise; } };

function* candidates(env, { first, platform = process.platform, arch = process.arch, files = fs } = {}) {
  const windows = platform === "win32";
  const { delimiter, isAbsolute, join } = windows ? path.win32 : path.posix;
  const program = windows ? "python.exe" : join("bin", "python3");
  const list = (folder) => attempt(() => files.readdirSync(folder), []);
  const find = (folders, name, ...args) =>
    folders.map((folder) => [join(folder, name), ...args]).filter(([file]) => files.existsSync(file));
  // Relative paths do not count, because code of the workspace must not run with the API key.
  const absolute = (...paths) => paths.filter((text) => typeof text === "string" && isAbsolute(text));
  const all = absolute(...(env.PATH ?? "").replaceAll(windows ? '"' : "\0", "").split(delimiter));
  const isStore = (folder) => windows && /\\Microsoft\\WindowsApps\\?$/i.test(folder);
  const folders = all.filter((folder) => !isStore(folder));
  yield* find(absolute(first), "");
  yield* find(absolute(env.pythonLocation), program);
  yield* find(folders, windows ? "python.exe" : "python3");
  const names = windows ? [] : folders.flatMap(list).filter((name) => /^python3\.\d+$/.test(name));
  for (const name of newestFirst(names)) yield* find(folders, name);
  if (!windows) yield* find(folders, "python");
  const machine = { X64: "x64", ARM64: "arm64", X86: "x86", ia32: "x86" }[env.RUNNER_ARCH || arch] ?? arch;
  const [cache = ""] = absolute(env.RUNNER_TOOL_CACHE).map((folder) => join(folder, "Python"));
  for (const version of newestFirst(list(cache))) yield* find([join(cache, version, machine)], program);
  if (windows) yield* find(folders, "py.exe", "-3"); // late, because it might download a Python
  yield* find(all.filter(isStore), "python.exe"); // last, because it might only open the Store
}

// Whether the system can start a file. Linux has a shell run anything else, even an empty file: execvp(3).
function isProgram(file, node = process.execPath) {
  if (process.platform !== "linux") return true;
  const [format, own] = [file, node].map((name) => attempt(() => {
    const descriptor = fs.openSync(name, fs.constants.O_NONBLOCK); // because it might be a FIFO
    const head = Buffer.alloc(20);
    attempt(() => fs.readSync(descriptor, head));
    fs.closeSync(descriptor);
    return head.toString("hex", 0, 6) + head.toString("hex", 18); // of ELF the class, the byte order and the machine
  }));
  return !format || !own || format === own || format.startsWith("2321"); // "#!"
}
module.exports = { attempt, candidates, isProgram };
