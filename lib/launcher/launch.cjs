// Finds a Python of 3.10 or later and hands the step over to it: GitHub has no Python runtime
// for actions. Nothing is probed; an interpreter that is too old says so by its exit code.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.resolve(__dirname, "..", "..");
// lib.TOO_OLD; py.exe has none; a shell (pyenv, asdf) cannot start it or find it; the store's stub.
const TRY_THE_NEXT = new Set([86, 103, 112, 126, 127, 9009, 0xa0000004, 0xa0000005, 0xa0000006]);
// No bytecode files, no user site, no site-packages or .pth files, no buffer, no library's warnings.
// Python 2.7 does not start with -X utf8, so isolated() sets that, and does what -E would.
const FLAGS = ["-B", "-s", "-S", "-u", "-Wignore"];
const UNFINISHED = "Python ended before it was done: the server may still be logged in to the registry.";

function* candidates(env, platform, files = fs) {
  const windows = platform === "win32";
  const { delimiter, isAbsolute, join } = windows ? path.win32 : path.posix;
  const program = windows ? "python.exe" : join("bin", "python3");
  const existing = (commands) => commands.filter(([file]) => files.existsSync(file));
  const folders = (env.PATH ?? "").replaceAll(windows ? '"' : "\0", "").split(delimiter).filter(isAbsolute);
  const onPath = (name, ...args) => existing(folders.map((folder) => [join(folder, name), ...args]));
  if (env.pythonLocation) yield* existing([[join(env.pythonLocation, program)]]);
  yield* onPath(windows ? "python.exe" : "python3");
  const names = windows ? [] : folders.flatMap((folder) => list(files, folder));
  for (const name of newestFirst(names.filter((name) => /^python3\.\d+$/.test(name)))) yield* onPath(name);
  if (!windows) yield* onPath("python");
  const cache = join(env.RUNNER_TOOL_CACHE ?? "", "Python");
  for (const version of newestFirst(isAbsolute(cache) ? list(files, cache) : []))
    yield* existing(list(files, join(cache, version)).map((arch) => [join(cache, version, arch, program)]));
  if (windows) yield* onPath("py.exe", "-3"); // last: a newer one would fetch a Python
}

const newestFirst = (names) => [...new Set(names)].sort((a, b) => b.localeCompare(a, "en", { numeric: true }));

function list(files, folder) {
  try {
    return files.readdirSync(folder);
  } catch {
    return [];
  }
}

function isolated(env) {
  const kept = Object.entries(env).filter(([name]) => !name.toUpperCase().startsWith("PYTHON"));
  return { ...Object.fromEntries(kept), PYTHONUTF8: "1", DOCKER_AUTH_LAUNCHER: `${process.pid}` };
}

function launch(script) {
  const isPost = script === "post.py";
  const commands = candidates(process.env, process.platform);
  const tried = [];
  let child, cancelled = false;
  // Post finishes whatever comes. Windows tells Python of a Ctrl-C by itself, where kill() ends it.
  const cancel = () => {
    cancelled = !isPost;
    if (cancelled && process.platform !== "win32") child?.kill("SIGTERM"); // silent while Python starts
  };
  process.on("SIGINT", cancel).on("SIGTERM", cancel);
  const next = () => {
    const command = commands.next().value;
    if (cancelled) process.exitCode = 130;
    else if (command) start(...command);
    else process.exitCode = annotate(isPost, missing(tried));
  };
  const start = (python, ...args) => {
    tried.push(python);
    const options = { stdio: ["ignore", "inherit", "inherit"], env: isolated(process.env) };
    try {
      child = spawn(python, [...args, ...FLAGS, path.join(ROOT, script)], options);
    } catch {
      return next(); // not a program of this machine
    }
    child.on("error", () => child.pid ?? next());
    child.on("exit", (code) => {
      if (TRY_THE_NEXT.has(code)) next();
      else if (isPost ? code !== 0 : code === null && !cancelled) process.exitCode = annotate(isPost, UNFINISHED);
      else process.exitCode = code ?? 130;
    });
  };
  next();
}

function missing(tried) {
  const looked = tried.length ? ` These were too old or did not start: ${tried.join(", ")}.` : "";
  const what = "reoclo/docker-auth needs Python 3.10 or later and found none in pythonLocation, PATH or the tool cache.";
  return `${what}${looked} Add a step with actions/setup-python before this one, or install Python on the runner.`;
}

function annotate(isPost, message) {
  console.log(`::${isPost ? "warning" : "error"}::${message.replace(/[^\x20-\x7e]/g, " ")}`);
  return isPost ? 0 : 1; // post never fails the job
}

module.exports = { candidates, isolated, launch };
