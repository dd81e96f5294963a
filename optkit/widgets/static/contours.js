// Lines of equal height on a grid: marching squares, joined into lines. Free of the page.

// values: row by row, values[iy * nx + ix] at (xs[ix], ys[iy]). Returns for each level its lines in data
// coordinates, x0 y0 x1 y1 …; a closed line ends where it began. A cell with a corner that is not finite has
// no line. Where a cell is a saddle, the mean of its corners decides, as in contourpy.
export function contours(values, xs, ys, levels) {
  const nx = xs.length;
  const ny = ys.length;
  const edges = nx * ny; // a horizontal edge has the number of its left corner, a vertical one that + edges
  const order = levels.map((level, place) => [level, place]).sort((a, b) => a[0] - b[0]);
  const sorted = order.map(([level]) => level);
  const segments = sorted.map(() => []);
  const count = sorted.length;
  for (let iy = 0; iy + 1 < ny; iy++) {
    for (let ix = 0; ix + 1 < nx; ix++) {
      const corner = iy * nx + ix;
      const a = values[corner];
      const b = values[corner + 1];
      const c = values[corner + nx];
      const d = values[corner + nx + 1];
      if (!(isFinite(a) && isFinite(b) && isFinite(c) && isFinite(d))) continue;
      const low = Math.min(a, b, c, d);
      const high = Math.max(a, b, c, d);
      for (let k = 0; k < count && sorted[k] < high; k++) {
        const level = sorted[k];
        if (level < low) continue;
        // Bits: a 1 (lower left), b 2 (lower right), c 4 (upper left), d 8 (upper right).
        const kind = (a > level ? 1 : 0) + (b > level ? 2 : 0) + (c > level ? 4 : 0) + (d > level ? 8 : 0);
        if (kind === 0 || kind === 15) continue;
        const bottom = corner;
        const top = corner + nx;
        const left = corner + edges;
        const right = corner + 1 + edges;
        const out = segments[k];
        switch (kind) {
          case 1: case 14: out.push(left, bottom); break;
          case 2: case 13: out.push(bottom, right); break;
          case 4: case 11: out.push(left, top); break;
          case 8: case 7: out.push(top, right); break;
          case 3: case 12: out.push(left, right); break;
          case 5: case 10: out.push(bottom, top); break;
          default: { // 6 and 9: two corners that touch are above, the other two are not
            const joined = (a + b + c + d) / 4 > level;
            if ((kind === 6) === joined) out.push(left, bottom, top, right);
            else out.push(left, top, bottom, right);
          }
        }
      }
    }
  }
  const near = new Int32Array(4 * edges).fill(-1); // the two neighbours of each edge
  const result = new Array(count);
  for (let k = 0; k < count; k++) {
    const [level, place] = order[k];
    result[place] = { level, lines: joined(segments[k], near, edges, values, xs, ys, level) };
  }
  return result;
}

function joined(pairs, near, edges, values, xs, ys, level) {
  const nx = xs.length;
  const link = (from, to) => {
    near[near[2 * from] < 0 ? 2 * from : 2 * from + 1] = to;
  };
  for (let i = 0; i < pairs.length; i += 2) {
    link(pairs[i], pairs[i + 1]);
    link(pairs[i + 1], pairs[i]);
  }
  const lines = [];
  const put = (points, edge) => {
    const corner = edge < edges ? edge : edge - edges;
    const ix = corner % nx;
    const iy = (corner - ix) / nx;
    const here = values[corner];
    if (edge < edges) {
      points.push(xs[ix] + ((level - here) / (values[corner + 1] - here)) * (xs[ix + 1] - xs[ix]), ys[iy]);
    } else {
      points.push(xs[ix], ys[iy] + ((level - here) / (values[corner + nx] - here)) * (ys[iy + 1] - ys[iy]));
    }
  };
  // Take each edge out as the line passes it.
  const trace = (first) => {
    const points = [];
    let edge = first;
    while (edge >= 0) {
      put(points, edge);
      const next = near[2 * edge];
      near[2 * edge] = near[2 * edge + 1];
      near[2 * edge + 1] = -1;
      if (next >= 0) {
        if (near[2 * next] === edge) near[2 * next] = near[2 * next + 1];
        near[2 * next + 1] = -1;
      }
      edge = next;
    }
    lines.push(Float64Array.from(points));
  };
  for (const edge of pairs) if (near[2 * edge] >= 0 && near[2 * edge + 1] < 0) trace(edge);
  for (const edge of pairs) if (near[2 * edge] >= 0) trace(edge);
  return lines;
}

// Heights between which equal areas of the window lie, as in the printed figures: a flat valley gets as many
// lines as a steep wall.
export function quantileLevels(values, count = 14) {
  const finite = Float64Array.from(values).filter((value) => Number.isFinite(value)).sort();
  const found = [];
  for (let i = 1; i <= count + 1; i++) {
    const at = (i / (count + 1)) * (finite.length - 1);
    const below = Math.floor(at);
    const above = Math.min(below + 1, finite.length - 1);
    const level = finite[below] + (at - below) * (finite[above] - finite[below]);
    if (found.length === 0 || level > found[found.length - 1]) found.push(level);
  }
  return found;
}
