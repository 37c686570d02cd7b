// Saves the first state, before anything else, so that a STATE_login from elsewhere never counts. Then runs main.py.
const fs = require("node:fs");
const { attempt } = require("./find.cjs");
const id = require("node:crypto").randomUUID();
const state = JSON.stringify({ version: 2, stage: "none", id, step: process.env.GITHUB_ACTION ?? "" });
const ascii = state.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
const flag = ["O_WRONLY", "O_APPEND", "O_CREAT", "O_NONBLOCK"].reduce((all, name) => all | fs.constants[name], 0);
attempt(() => fs.writeFileSync(process.env.GITHUB_STATE, `login=${ascii}\n`, { flag })); // Python reports the error
// Once Python has saved a state it might have requested the login, which another Python must not repeat.
const stateSize = () => attempt(() => fs.statSync(process.env.GITHUB_STATE).size, 0);
const size = stateSize();
const step = { script: "main.py", isFinal: () => stateSize() > size, variables: () => ({ DOCKER_AUTH_LOGIN_ID: id }) };
require("./run.cjs").runStep(step, "The post step will clean up the login if it was started.");
