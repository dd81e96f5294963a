// The palette's markers and dashes, drawn as matplotlib draws them.

function polygon(corners, radius, turn = 0, inner = null) {
  const points = [];
  const total = inner === null ? corners : 2 * corners;
  for (let k = 0; k < total; k++) {
    const angle = turn - Math.PI / 2 + (2 * Math.PI * k) / total;
    const r = inner !== null && k % 2 ? inner : radius;
    points.push([r * Math.cos(angle), r * Math.sin(angle)]);
  }
  return points;
}

function closed(points) {
  return "M" + points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L") + "Z";
}

function circle(r) {
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`;
}

const SHAPES = {
  o: (r) => circle(r),
  ".": (r) => circle(r / 2),
  s: (r) => closed([[-r, -r], [r, -r], [r, r], [-r, r]].map(([x, y]) => [0.88 * x, 0.88 * y])),
  "^": (r) => closed([[0, -r], [r, r], [-r, r]]),
  v: (r) => closed([[0, r], [r, -r], [-r, -r]]),
  ">": (r) => closed([[r, 0], [-r, r], [-r, -r]]),
  "<": (r) => closed([[-r, 0], [r, r], [r, -r]]),
  D: (r) => closed([[0, -1.2 * r], [1.2 * r, 0], [0, 1.2 * r], [-1.2 * r, 0]]),
  d: (r) => closed([[0, -1.3 * r], [0.8 * r, 0], [0, 1.3 * r], [-0.8 * r, 0]]),
  P: (r) => {
    const w = r / 3;
    return closed([[-w, -r], [w, -r], [w, -w], [r, -w], [r, w], [w, w], [w, r], [-w, r], [-w, w], [-r, w],
      [-r, -w], [-w, -w]]);
  },
  X: (r) => {
    const a = r / 2;
    return closed([[0, -a], [a, -r], [r, -a], [a, 0], [r, a], [a, r], [0, a], [-a, r], [-r, a], [-a, 0],
      [-r, -a], [-a, -r]]);
  },
  p: (r) => closed(polygon(5, 1.1 * r)),
  h: (r) => closed(polygon(6, 1.1 * r)),
  "*": (r) => closed(polygon(5, 1.3 * r, 0, 0.52 * r)),
};

// size: the marker's width in pixels.
export function markerPath(marker, size) {
  return (SHAPES[marker] ?? SHAPES.o)(size / 2);
}

const paths = new Map();

export function drawMarker(context, marker, x, y, size, fill, stroke = null) {
  const key = `${marker} ${size}`;
  if (!paths.has(key)) paths.set(key, new Path2D(markerPath(marker, size)));
  const path = paths.get(key);
  context.translate(x, y);
  if (stroke) {
    context.strokeStyle = stroke;
    context.stroke(path);
  }
  if (fill) {
    context.fillStyle = fill;
    context.fill(path);
  }
  context.translate(-x, -y);
}

// A dash of the palette, in multiples of the line's width, as pixels.
export function dashOf(dash, width = 1) {
  return (dash ?? []).map((part) => part * width);
}
