// Random numbers as hashes of (seed, step, index): the same bits as optkit.portable_random.

const mix = (x) => {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
};

const key = (seed, step, index) => mix((mix((mix(seed >>> 0) + step) >>> 0) + index) >>> 0);

/** Uniform on (0, 1). */
export function uniform(seed, step, index) {
  return (mix((key(seed, step, index) + 0x9e3779b9) >>> 0) + 0.5) / 4294967296;
}

/** Nearly normal, with mean 0 and variance 1. */
export function noise(seed, step, index) {
  const start = key(seed, step, index);
  let sum = 0;
  for (let j = 1; j <= 12; j++) sum += mix((start + Math.imul(j, 0x9e3779b9)) >>> 0);
  return (sum + 6) / 4294967296 - 6;
}
