// Starts Python for a step, and the next Python if the first did not run our code.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { attempt, candidates, isProgram } = require("./find.cjs");
const { annotate, print, reason, stillLoggedIn } = require("./report.cjs");
const EXIT_CODES = { 193: 0, 194: 1, 195: 130 }; // as in lib/__init__.py; no shell and no system uses them
const FLAGS = ["-B", "-s", "-S", "-u", "-Wignore"]; // Python 2.7 would reject -I and -X utf8
const NEEDED = "Python 3.10 or later not found in pythonLocation, PATH, or the tool cache. Add actions/setup-python before " +
  "this step, or install Python in the image (`apt-get install -y python3`, `apk add python3`).";

// Resolves to how Python ended, and throws if it did not start.
async function start(step, [python, ...args]) {
  if (!isProgram(python)) throw new Error("not an executable for this platform");
  const kept = Object.entries(process.env).filter(([name]) => !/^(PYTHON|DOCKER_AUTH_)/i.test(name));
  const launcher = { DOCKER_AUTH_EXIT_CODES: "1", DOCKER_AUTH_LAUNCHER: `${process.pid}` };
  launcher.DOCKER_AUTH_PID_NAMESPACE = attempt(() => require("node:fs").readlinkSync("/proc/self/ns/pid"), "");
  const env = { ...Object.fromEntries(kept), PYTHONUTF8: "1", ...launcher, ...step.variables?.() };
  const options = { stdio: ["ignore", "inherit", "inherit"], detached: step.detached, windowsHide: true, env };
  step.child = spawn(python, [...args, ...FLAGS, require.resolve(`../../${step.script}`)], options);
  const [code, signal] = await once(step.child, "exit");
  return { code, signal };
}

// Resolves to the step's {exitCode}, or to {end} if Python ended abnormally, or to {problem} if none ran our code.
async function run(step, commands) {
  const tried = new Map();
  for (const command of commands) {
    if (tried.has(command[0])) continue;
    const launch = () => start(step, command).catch((error) => ({ error: error.code ?? error.message }));
    let end = await launch();
    if (step.detached && end.signal && !step.stopped) end = await launch(); // sent before it had its own group
    if (end.code in EXIT_CODES) return { exitCode: EXIT_CODES[end.code] };
    step.stopped ||= end.code === 0xc000013a; // Windows: Ctrl-C, which Node might notice later
    if (step.stopped || step.isFinal?.()) return { end };
    tried.set(command[0], `${command[0]} (${reason(end)})`);
  }
  return { problem: `${NEEDED} Tried: ${[...tried.values()].join(", ") || "none"}.` };
}

// Runs main or the logout action. Python gets the event of a Windows console itself, and process.kill() would end it.
async function runStep(step, cleanup) {
  const cancel = () => {
    const isReady = process.platform === "win32" && step.isFinal?.(); // before that, Python might ignore the event
    if (!step.stopped && !isReady) attempt(() => process.kill(step.child.pid, "SIGTERM"));
    step.stopped = true;
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGBREAK"]) process.on(name, cancel);
  const { exitCode, end, problem } = await run(step, candidates(process.env));
  process.exitCode = exitCode ?? (step.stopped ? 130 : 1);
  if (problem) annotate("error", problem, "python-not-found");
  else if (end && step.stopped) print(`Canceled. ${cleanup}`);
  else if (end) annotate("error", `Python exited unexpectedly: ${reason(end)}. ${cleanup}`, "python-crashed");
}

// Runs post, which never fails the job, and ends it so many seconds after Node started, whatever Python does.
async function runPost(seconds) {
  const state = Object(attempt(() => JSON.parse(process.env.STATE_login)));
  const left = () => seconds - performance.now() / 1000;
  const step = { script: "post.py", detached: true, variables: () => ({ DOCKER_AUTH_SECONDS: left().toFixed(3) }) };
  const watchdog = new Promise((end) => setTimeout(end, left() * 1000, {}).unref());
  const python = run(step, candidates(process.env, { first: state.interpreter }));
  const { exitCode, problem = `Python timed out after ${seconds} s.` } = await Promise.race([python, watchdog]);
  if (exitCode !== undefined) return;
  step.stopped = true;
  attempt(() => process.kill(process.platform === "win32" ? step.child.pid : -step.child.pid, "SIGKILL"));
  const isAtStake = ["requested", "accepted", "succeeded"].includes(state.stage) && state.cleanup === true;
  if (isAtStake) annotate("warning", stillLoggedIn(state, problem), "logout-failed");
  else print(`Nothing was cleaned up. ${problem}`);
  setTimeout(() => process.exit(0), Math.max(500, left() * 1000)).unref(); // even if the pipe is full
}

module.exports = { runPost, runStep };
