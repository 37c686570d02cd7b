"use strict";
require("../lib/launcher/launch.cjs").launch("logout/main.py");
