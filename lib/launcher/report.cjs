// What the launcher prints. Node does not wait for a reader of its standard output if that is a pipe.
const HELP = "Troubleshooting: https://github.com/reoclo/docker-auth/blob/v1/docs/troubleshooting.md";
const print = (text) => process.stdout.on("error", () => {}).write(`${text}\n`); // its reader might be gone
const annotate = (level, text, anchor) => print(`::${level}::${plain(text)}\n${HELP}#${anchor}`);
// Printable ASCII without a command: act ends a command's name at the last "::", and might unescape %25 before %0A.
const plain = (text) => text.replace(/[^ -~]/g, " ").replace(/(?<=:):|(?<=##)\[|(?<=%)(?=25|0[AD])/g, " $&");

function reason({ error, code, signal }) {
  if (error) return error;
  if (code === 196) return "older than 3.10";
  if (code === 197) return "its standard library is incomplete";
  if (code >= 0xc0000000) return `crashed with code 0x${code.toString(16).toUpperCase()}`; // Windows
  if (signal === "SIGKILL" || code === 137) return "killed by SIGKILL, probably out of memory"; // 137 is a shell's
  return signal ? `terminated by ${signal}` : `exit code ${code}`;
}

// State can come from elsewhere, and users copy the command: a value that a shell could interpret is not printed.
function stillLoggedIn(state, problem) {
  const known = (name, form = /^[\w-]{1,64}$/) => (form.test(state[name]) ? state[name] : "");
  const registry = known("registry_url", /^[a-z0-9[][\w.:/[\]~-]{0,79}$/i);
  const login = registry || `the registry of credential ${known("credential_id") || "(unknown)"}`;
  const command = registry === "docker.io" ? "docker logout" : `docker logout ${registry || "<registry>"}`;
  return `Could not log out of ${login} on server ${known("server_id") || "(unknown)"}. The server may still be ` +
    `logged in: run \`${command}\` on the server as the Reoclo runner agent's user. ${problem}`;
}
module.exports = { annotate, plain, print, reason, stillLoggedIn };
