// Where an axis has its ticks, and how a number is written there.

const MANTISSAS = [1, 2, 2.5, 5, 10];

// Multiples of the smallest of 1, 2, 2.5, 5 · 10ⁿ that makes at most `count` intervals, and at least two ticks.
function linearTicks(low, high, count) {
  const raw = (high - low) / count;
  const power = Math.floor(Math.log10(raw));
  const steps = [-1, 0, 1].flatMap((shift) =>
    MANTISSAS.slice(0, 4).map((mantissa) => [mantissa, power + shift]),
  );
  const size = ([mantissa, exponent]) => mantissa * Math.pow(10, exponent);
  let place = steps.findIndex((step) => size(step) >= raw);
  for (; place >= 0; place--) {
    const [mantissa, exponent] = steps[place];
    const step = size(steps[place]);
    const slack = step * 1e-10;
    const found = [];
    for (let k = Math.ceil((low - slack) / step); k * step <= high + slack; k++) {
      // Division by a power of ten is exact where multiplication by its inverse is not: 3/10, not 3·0.1.
      found.push(exponent < 0 ? (k * mantissa) / Math.pow(10, -exponent) : k * step);
    }
    if (found.length >= 2 || place === 0) return found;
  }
  return [low, high];
}

// Powers of ten; on a short axis 1, 2, 5; on a very short one, ticks as on a linear axis.
function logTicks(low, high, count) {
  const slack = 1e-10;
  const first = Math.ceil(Math.log10(low) - slack);
  const last = Math.floor(Math.log10(high) + slack);
  const decades = last - first + 1;
  if (decades >= 3 || (decades === 2 && count <= 3)) {
    const stride = Math.ceil(decades / Math.max(count, 2));
    const found = [];
    for (let power = first; power <= last; power++) {
      if ((((power % stride) + stride) % stride) === 0) found.push(tenTo(power));
    }
    return found;
  }
  const found = [];
  for (let power = first - 1; power <= last; power++) {
    for (const digit of [1, 2, 5]) {
      const value = power < 0 ? digit / tenTo(-power) : digit * tenTo(power);
      if (value >= low * (1 - slack) && value <= high * (1 + slack)) found.push(value);
    }
  }
  return found.length >= 2 ? found : linearTicks(low, high, count);
}

// Zero, the threshold, and powers of ten beyond it, on either side.
function symlogTicks(low, high, count, threshold = 1) {
  const side = (end) => {
    if (!(end > threshold)) return [];
    const first = Math.round(Math.log10(threshold));
    const last = Math.floor(Math.log10(end) + 1e-10);
    const stride = Math.max(1, Math.ceil((last - first + 1) / Math.max(count / 2, 1)));
    const found = [];
    for (let power = first; power <= last; power += stride) found.push(tenTo(power));
    return found;
  };
  const all = [...side(-low).map((value) => -value).reverse(), 0, ...side(high)];
  const found = all.filter((value) => value >= low && value <= high);
  return found.length >= 2 ? found : linearTicks(low, high, count);
}

function tenTo(power) {
  return Number(`1e${power}`); // Math.pow(10, power) is not always the nearest double
}

export function ticks(kind, domain, count = 5) {
  const [low, high] = domain[0] < domain[1] ? domain : [domain[1], domain[0]];
  if (!(high > low) || !Number.isFinite(high - low)) return [low];
  return { linear: linearTicks, log: logTicks, symlog: symlogTicks }[kind](low, high, count);
}

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

export function superscript(whole) {
  const digits = String(Math.abs(whole)).split("").map((digit) => SUPERSCRIPT[digit]).join("");
  return (whole < 0 ? "⁻" : "") + digits;
}

function scientific(value, digits) {
  const [mantissa, exponent] = value.toExponential(digits).split("e");
  const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
  const power = `10${superscript(Number(exponent))}`;
  const text = short === "1" ? power : short === "-1" ? `-${power}` : `${short}·${power}`;
  return text;
}

// A number as a reader writes it: about three digits, a real minus, powers of ten as 10⁻³. Given the axis's
// ticks, with as many decimals as tell them apart.
export function format(value, among = null) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (among && among.length > 1) {
    const largest = Math.max(...among.map(Math.abs));
    const smallest = Math.min(...among.filter((tick) => tick !== 0).map(Math.abs));
    if (largest >= 1e5 || smallest < 1e-3 || largest / smallest > 1e4) {
      text = scientific(value, 2);
    } else {
      text = String(Number(value.toPrecision(10)));
    }
  } else if (size >= 1e5 || size < 1e-3) {
    text = scientific(value, 2);
  } else {
    text = String(Number(value.toPrecision(size >= 100 ? 4 : 3)));
  }
  return text.replace("-", "−");
}
