// Goes on to the page that a short address stands for; "back" leads past this one.
"use strict";

location.replace(document.getElementById("forward").href);
