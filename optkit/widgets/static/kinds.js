// The figures by name.

import { averages } from "./averages.js";
import { ball } from "./ball.js";
import { composer } from "./composer.js";
import { correction } from "./correction.js";
import { eigenvalues } from "./eigenvalues.js";
import { playground } from "./playground.js";
import { sharp } from "./sharp.js";

export const KINDS = {
  averages,
  ball,
  composer,
  correction,
  eigenvalues,
  playground,
  sharp,
};
