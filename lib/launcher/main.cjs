"use strict";
require("./launch.cjs").launch("main.py");
