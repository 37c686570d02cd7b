"use strict";
require("./launch.cjs").launch("post.py");
