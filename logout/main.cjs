const step = { script: "logout/main.py" };
require("../lib/launcher/run.cjs").runStep(step, "The server may still be logged in.");
