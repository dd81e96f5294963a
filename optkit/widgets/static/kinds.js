// The figures by name.

import { playground } from "./playground.js";

export const KINDS = {
  playground,
};
