// Maps from data to pixels and back: linear, logarithmic, and linear around zero with logarithms beyond.

export function linear(domain, range) {
  const [a, b] = domain;
  const [p, q] = range;
  const slope = (q - p) / (b - a);
  return {
    kind: "linear", domain, range,
    map: (value) => p + (value - a) * slope,
    invert: (pixel) => a + (pixel - p) / slope,
  };
}

// The domain must be positive. A value of zero or less maps beyond the low end, so that a line leaves there.
export function log(domain, range) {
  const inner = linear(domain.map(Math.log10), range);
  const below = inner.map(inner.domain[0] - 4 * Math.abs(inner.domain[1] - inner.domain[0]));
  return {
    kind: "log", domain, range,
    map: (value) => (value > 0 ? inner.map(Math.log10(value)) : value <= 0 ? below : NaN),
    invert: (pixel) => Math.pow(10, inner.invert(pixel)),
  };
}

// As matplotlib's symlog with base 10 and linscale 1.
export function symlog(domain, range, { threshold = 1 } = {}) {
  const stretch = 1 / 0.9; // so that a decade beyond the threshold is as long as the way from 0 to it
  const bend = (value) => {
    const size = Math.abs(value);
    if (size <= threshold) return value * stretch;
    return Math.sign(value) * threshold * (stretch + Math.log10(size / threshold));
  };
  const unbend = (value) => {
    const size = Math.abs(value);
    if (size <= threshold * stretch) return value / stretch;
    return Math.sign(value) * threshold * Math.pow(10, size / threshold - stretch);
  };
  const inner = linear(domain.map(bend), range);
  return {
    kind: "symlog", domain, range, threshold,
    map: (value) => inner.map(bend(value)),
    invert: (pixel) => unbend(inner.invert(pixel)),
  };
}

export function makeScale(kind, domain, range, options = {}) {
  return { linear, log, symlog }[kind](domain, range, options);
}
