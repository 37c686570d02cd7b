const assert = require("node:assert");
const { testModule } = require("./seeded.cjs");

const STATE = {
  server_id: "11111111-2222-4333-8444-555555555555",
  credential_id: "66666666-7777-4888-9999-000000000000",
  registry_url: "ghcr.io",
};

const cases = {
  "reasons name what happened": ({ reason }) => {
    const reasons = [{ code: 196 }, { code: 197 }, { code: 127 }, { code: 0 }, { error: "EACCES" }].map(reason);
    assert.equal(new Set(reasons).size, 5);
    assert.match(reasons[0], /3\.10/);
    assert.match(reasons[2], /127/);
    assert.match(reasons[4], /EACCES/);
  },
  "SIGKILL means out of memory, in a shell's child too": ({ reason }) => {
    for (const end of [{ code: null, signal: "SIGKILL" }, { code: 137, signal: null }]) assert.match(reason(end), /memory/);
    assert.match(reason({ code: null, signal: "SIGSEGV" }), /SIGSEGV/);
    assert.doesNotMatch(reason({ code: null, signal: "SIGSEGV" }), /memory/);
  },
  "a crash on Windows has its code in hexadecimal": ({ reason }) =>
    assert.match(reason({ code: 3221225477, signal: null }), /crashed.*0xC0000005/),
  "plain text has no workflow command of any runner": ({ plain }) => {
    assert.equal(plain("/a\n::error::b\r##[error]c\x1b[31m\u2028\x7f"), "/a : :error: :b ## [error]c [31m  ");
    assert.equal(plain("%0A %250A %25"), "% 0A % 250A % 25");
    assert.equal(plain(":::"), ": : :");
    assert.equal(plain("/usr/bin/python3 (50%)"), "/usr/bin/python3 (50%)");
  },
  "the warning names server and registry": ({ stillLoggedIn }) => {
    const message = stillLoggedIn(STATE, "Problem.");
    assert.ok(message.includes(STATE.server_id) && message.includes("`docker logout ghcr.io`"));
    assert.ok(message.endsWith("Problem.") && !message.includes(STATE.credential_id));
  },
  "Docker Hub is logged out of without an address": ({ stillLoggedIn }) =>
    assert.match(stillLoggedIn({ ...STATE, registry_url: "docker.io" }, ""), /`docker logout`/),
  "the warning names the credential if the registry is unknown": ({ stillLoggedIn }) => {
    const message = stillLoggedIn({ ...STATE, registry_url: "" }, "");
    assert.ok(message.includes(STATE.credential_id) && message.includes("`docker logout <registry>`"));
  },
  "values that a shell or runner could interpret are not printed": ({ stillLoggedIn }) => {
    for (const value of ["x; id", "$(id)", "`id`", "a\nb", "::error::x", "##[error]x", "\u0434", "x".repeat(300), {}]) {
      const message = stillLoggedIn({ server_id: value, credential_id: value, registry_url: value }, "");
      assert.equal(message, stillLoggedIn({}, ""));
    }
  },
  "the warning is short": ({ stillLoggedIn }) => {
    const longest = { ...STATE, registry_url: "r".repeat(80) };
    assert.ok(stillLoggedIn(longest, "").length < 500);
  },
};

testModule("report.cjs", cases, {
  "too old and unusable are one": ["code === 196", "code >= 196"],
  "memory is blamed for every signal": ['signal === "SIGKILL" ||', "signal ||"],
  "a shell's code is not understood": ["|| code === 137", ""],
  "act's commands are not split": ["(?<=:):|", ""],
  "GitHub's other commands are not split": ["(?<=##)\\[|", ""],
  "escapes stay": ["|(?<=%)(?=25|0[AD])", ""],
  "control characters stay": ["[^ -~]", "[\\n]"],
  "Docker Hub with its address": ['registry === "docker.io"', "false"],
  "any text is a registry": ['[a-z0-9[][\\w.:/[\\]~-]{0,79}', ".*"],
  "any text is an id": ["[\\w-]{1,64}", "[^]*"],
});
