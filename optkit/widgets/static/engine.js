// The path of a rule on a problem, step by step: the same numbers as optkit.trajectories.run.
// Free of the DOM. What is computed comes from mathematics.js; here it is only driven.

import { noise } from "./random.js";

const LIMIT = 1e12;
const NEWTON_DAMPING = 1e-3;
const NEWTON_TOLERANCE = 1e-10;

let drawn = { seed: null, dim: 0, values: new Float64Array(0) };

/** The noise of the first steps, one number for each coordinate; drawn once for each seed. */
function draws(seed, steps, dim) {
  if (drawn.seed !== seed || drawn.dim !== dim || drawn.values.length < steps * dim) {
    const values = new Float64Array(steps * dim);
    for (let t = 1; t <= steps; t++) {
      for (let i = 0; i < dim; i++) values[(t - 1) * dim + i] = noise(seed, t, i);
    }
    drawn = { seed, dim, values };
  }
  return drawn.values;
}

/** Empty arrays for a path; those of an earlier path of the same size are used again. */
function room(steps, dim, count, old) {
  const fits = old && old.steps === steps && old.dim === dim && old.states.length === count;
  const path = fits
    ? old
    : {
        steps,
        dim,
        theta: new Float64Array((steps + 1) * dim),
        loss: new Float64Array(steps + 1),
        gradients: new Float64Array(steps * dim),
        points: new Float64Array(steps * dim),
        clean: new Float64Array(steps * dim),
        rates: new Float64Array(steps),
        states: Array.from({ length: count }, () => new Float64Array((steps + 1) * dim)),
      };
  for (const array of [path.theta, path.gradients, path.points, path.clean, path.rates, ...path.states]) {
    array.fill(NaN);
  }
  return path;
}

/** The schedule's factor at each step; all 1 without a schedule. */
export function factors(mathematics, schedule, steps) {
  const found = new Float64Array(steps).fill(1);
  const entry = schedule && mathematics.SCHEDULES[schedule.name];
  if (entry) for (let t = 1; t <= steps; t++) found[t - 1] = entry.factor(t, schedule.hyper);
  return found;
}

/** Defaults of an entry's hyper-parameters, with the given values over them. */
export function filled(entry, given = {}) {
  const values = {};
  for (const hyper of entry.hyper) values[hyper.name] = given[hyper.name] ?? hyper.default;
  return values;
}

/**
 * Follow a rule. request: {rule, problem, problemHyper, hyper, start, steps, schedule: {name, hyper} | null,
 * noise, batch, seed, sam}. Row k of theta (dim numbers) is what stood after k steps; row k of points is where
 * the gradient of step k + 1 was taken, and of clean the one that SAM climbs along. diverged is the first step
 * whose iterate is beyond 1e12 or no number, or −1; what comes after it is NaN.
 */
export function trajectory(mathematics, request, old = null) {
  const rule = mathematics.RULES[request.rule];
  const problem = mathematics.PROBLEMS[request.problem];
  const { steps } = request;
  const { dim } = problem;
  const path = room(steps, dim, rule.state.length, old);
  const problemHyper = filled(problem, request.problemHyper);
  const gradient = problem.gradient(problemHyper);
  path.theta.set(request.start.slice(0, dim));
  for (const state of path.states) state.fill(0, 0, dim);
  const hyper = filled(rule, request.hyper);
  path.hyper = hyper;
  path.lookAhead = Boolean(rule.lookAhead);
  const radius = rule.sam ? hyper[rule.sam] : (request.sam ?? 0);
  path.radius = radius;
  if (rule.step) newton(path, rule, problem, gradient, problemHyper, hyper);
  else {
    const scale = (request.noise ?? 0) / Math.sqrt(request.batch ?? 1);
    const errors = scale === 0 ? null : draws(request.seed ?? 0, steps, dim);
    path.factors = factors(mathematics, request.schedule, steps);
    path.inside = (from) => {
      for (let i = from; i < from + dim; i++) if (!(Math.abs(path.theta[i]) <= LIMIT)) return false;
      return true;
    };
    path.slope = slope(path, gradient, errors, scale, radius);
    rule.walk(path, hyper);
  }
  problem.loss(problemHyper)(path.theta, path.loss, steps + 1);
  path.diverged = lost(path);
  return path;
}

/** What gives a step its gradient, with the noise of its batch and, for SAM, from the point it climbs to. */
function slope(path, gradient, errors, scale, radius) {
  const { dim, points, gradients, clean } = path;
  const point = new Float64Array(dim);
  const found = new Float64Array(dim);
  return (step, from) => {
    for (let i = 0; i < dim; i++) point[i] = points[from + i];
    gradient(point, found, 1);
    for (let i = 0; i < dim; i++) found[i] = found[i] + (errors === null ? 0 : scale * errors[from + i]);
    if (radius !== 0) {
      let squares = found[0] * found[0];
      for (let i = 1; i < dim; i++) squares = squares + found[i] * found[i];
      const norm = Math.sqrt(squares) + 1e-12;
      for (let i = 0; i < dim; i++) {
        clean[from + i] = found[i];
        point[i] = points[from + i] + (radius * found[i]) / norm;
        points[from + i] = point[i];
      }
      gradient(point, found, 1);
      for (let i = 0; i < dim; i++) found[i] = found[i] + (errors === null ? 0 : scale * errors[from + i]);
    }
    for (let i = 0; i < dim; i++) gradients[from + i] = found[i];
  };
}

function newton(path, rule, problem, gradient, problemHyper, hyper) {
  const { steps, theta, gradients, points } = path;
  const hessian = problem.hessian(problemHyper);
  const g = new Float64Array(2);
  const h = new Float64Array(3);
  const point = new Float64Array(2);
  for (let t = 1; t <= steps; t++) {
    const from = (t - 1) * 2;
    point[0] = theta[from];
    point[1] = theta[from + 1];
    if (!(Math.abs(point[0]) <= LIMIT && Math.abs(point[1]) <= LIMIT)) break;
    gradient(point, g, 1);
    hessian(point, h, 1);
    for (let i = 0; i < 2; i++) {
      points[from + i] = point[i];
      gradients[from + i] = g[i];
    }
    let next = [point[0], point[1]];
    if (Math.max(Math.abs(g[0]), Math.abs(g[1])) > NEWTON_TOLERANCE) {
      next = rule.step({
        x: point[0], y: point[1], gx: g[0], gy: g[1], hxx: h[0], hxy: h[1], hyy: h[2],
        damp: hyper.damp ? 1 : 0, damping: NEWTON_DAMPING,
      });
    }
    theta[from + 2] = next[0];
    theta[from + 3] = next[1];
  }
}

/** The first step after which the iterate is out of the finite world, or −1. */
function lost({ theta, steps, dim }) {
  let k = steps * dim;
  while (k < theta.length && Math.abs(theta[k]) <= LIMIT) k++;
  if (k === theta.length) return -1; // a path ends where it is lost: all is there if the last step is
  for (let k = 0; k < (steps + 1) * dim; k++) {
    if (!(Math.abs(theta[k]) <= LIMIT)) return Math.floor(k / dim);
  }
  return -1;
}

/** The last step of a path that can be drawn. */
export function last(path) {
  return path.diverged < 0 ? path.steps : Math.max(0, path.diverged - 1);
}
