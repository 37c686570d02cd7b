// Releases the Python that waits. The job goes on for 3 s, which is enough for a login.
"use strict";
const fs = require("node:fs");

fs.writeFileSync(`${process.env.STATE_folder}/released`, "");
setTimeout(() => fs.rmSync(process.env.STATE_folder, { recursive: true }), 3000);
