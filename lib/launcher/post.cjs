for (const name of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK"]) process.on(name, () => {}); // finish anyway
require("./run.cjs").runPost(29);
