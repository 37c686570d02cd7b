// Starts the fake API as a process that outlives this step, alike on all systems.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { setTimeout: sleep } = require("node:timers/promises");

async function main() {
  const log = path.join(process.env.RUNNER_TEMP, "fake-api.log");
  const file = fs.openSync(log, "w");
  const child = spawn("python", ["-m", "tests.fake_api", process.env.INPUT_RECORDING], {
    detached: true,
    stdio: ["ignore", file, file],
    windowsHide: true,
  });
  child.unref();
  const url = await address(log);
  fs.appendFileSync(process.env.GITHUB_STATE, `log=${log}\npid=${child.pid}\n`);
  fs.appendFileSync(process.env.GITHUB_OUTPUT, `log=${log}\nurl=${url}\n`);
}

async function address(log) {
  for (let tries = 0; tries < 300; tries += 1) {
    const said = /listens on (\S+)/.exec(fs.readFileSync(log, "utf8"));
    if (said) return said[1];
    await sleep(100);
  }
  throw new Error(`The fake API did not start: ${fs.readFileSync(log, "utf8")}`);
}

main().catch((error) => {
  console.log(error.stack);
  process.exitCode = 1;
});
