// Lines over time, in SVG: axes with units, gaps where there is no value, hatched bands.

const LEFT = 52;
const RIGHT = 10;
const TOP = 14;
const BOTTOM = 22;
const minutes = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const clockTime = new Intl.DateTimeFormat([], minutes);
export const exactTime = new Intl.DateTimeFormat([], { ...minutes, second: "2-digit" });

export function svg(name, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

// The short piece of a line that stands beside its name.
export function swatch(number) {
  const drawn = svg("svg", { class: "swatch", width: 28, height: 8, "aria-hidden": "true" });
  drawn.append(svg("path", { class: `line line-${number}`, d: "M0 4H28" }));
  return drawn;
}

// From 0 to a round number above the values, in at most four steps.
export function linearScale(highest) {
  const rough = Math.max(highest, 1e-9) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((times) => times * power >= rough * 0.999) * power;
  const count = Math.max(1, Math.ceil(highest / step - 1e-6));
  const ticks = Array.from({ length: count + 1 }, (_, n) => n * step);
  return { ticks, share: (value) => Math.min(1, value / (count * step)) };
}

// Whole powers of ten around the values; equal distances are equal factors.
export function logScale(lowest, highest) {
  const from = Math.floor(Math.log10(lowest));
  const to = Math.max(from + 2, Math.ceil(Math.log10(highest) - 1e-9));
  const ticks = Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n));
  const share = (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from);
  return { ticks, share: (value) => Math.min(1, share(value)) };
}

// Times of the x axis: whole minutes, whose labels do not touch.
export function timeTicks(from, to, width) {
  const fits = Math.max(2, Math.floor(width / 64));
  const step = [1, 2, 5, 10, 15, 20, 30].find((m) => (to - from) / 60 / m <= fits) ?? 30;
  const seconds = step * 60;
  const ticks = [];
  for (let at = Math.ceil(from / seconds) * seconds; at <= to; at += seconds) ticks.push(at);
  return ticks;
}

// Samples of `size` seconds, where the window is long: counts add up to the same rates, of times the
// longest is kept and of the quota the lowest, and a circuit that was open for a part was open.
export function thin(samples, size) {
  const groups = Map.groupBy(samples, (sample) => Math.ceil(sample.at / size));
  return [...groups.values()].map((group) => group.reduce(merge));
}

function merge(left, right) {
  const merged = { ...left, ...right };
  for (const [name, value] of Object.entries(left)) {
    const other = right[name];
    if (name === "at" || name === "quota_limit" || other === undefined) continue;
    if (name === "quota_remaining") merged[name] = Math.min(value, other);
    else if (name === "circuit_open") merged[name] = value || other;
    else if (typeof value === "number") merged[name] = value + other;
    else merged[name] = highest(value, other);
  }
  return merged;
}

function highest(left, right) {
  const found = { ...left, ...right };
  for (const [name, value] of Object.entries(left)) found[name] = Math.max(value, found[name]);
  return found;
}

// Stretches of samples in a row that `has` is true of; a missed sample ends a stretch.
export function stretches(samples, has, every) {
  const found = [];
  let last = -Infinity;
  for (const sample of samples) {
    if (!has(sample)) continue;
    if (sample.at - last > 1.5 * every) found.push([]);
    found.at(-1).push(sample);
    last = sample.at;
  }
  return found;
}

// Draws into an <svg>. `lines` have a value(sample), null where there is none; `scale(values)` is
// the y axis, `format(tick)` its labels, `limit(sample)` a line to stay away from.
export function drawChart(element, { lines, scale, format, limit, height }, view) {
  const { samples, from, to, every, cursor } = view;
  const width = element.clientWidth;
  if (!width) return;
  const right = width - RIGHT;
  const bottom = height - BOTTOM;
  const x = (at) => LEFT + ((at - from) / (to - from)) * (right - LEFT);
  element.setAttribute("viewBox", `0 0 ${width} ${height}`);
  element.setAttribute("height", height);
  const parts = [];
  const values = lines.flatMap((line) => samples.map(line.value)).filter((value) => value !== null);
  if (limit) values.push(...samples.map(limit).filter((value) => value !== null));

  parts.push(...bands(element, { samples, every, x, bottom, from }));
  for (const at of timeTicks(from, to, right - LEFT)) {
    parts.push(svg("path", { class: "grid", d: `M${x(at)} ${bottom}v4` }));
    const anchor = x(at) > right - 18 ? "end" : x(at) < LEFT + 18 ? "start" : "middle";
    const place = { x: x(at), y: bottom + 17, "text-anchor": anchor };
    parts.push(svg("text", place, clockTime.format(at * 1000)));
  }
  parts.push(svg("path", { class: "grid", d: `M${LEFT} ${bottom}H${right}` }));
  if (lines.length && !values.length) {
    const place = { x: (LEFT + right) / 2, y: (TOP + bottom) / 2, "text-anchor": "middle" };
    parts.push(svg("text", place, "nothing to show yet"));
  }
  if (values.length) {
    const { ticks, share } = scale(values);
    const y = (value) => bottom - share(value) * (bottom - TOP);
    for (const tick of ticks) {
      parts.push(svg("path", { class: "grid", d: `M${LEFT} ${y(tick)}H${right}` }));
      const place = { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" };
      parts.push(svg("text", place, format(tick)));
    }
    const last = limit && samples.findLast((sample) => limit(sample) !== null);
    if (last) parts.push(svg("path", { class: "limit", d: `M${LEFT} ${y(limit(last))}H${right}` }));
    lines.forEach(({ value }, index) => {
      for (const run of stretches(samples, (sample) => value(sample) !== null, every)) {
        const points = run.map((sample) => [x(sample.at).toFixed(1), y(value(sample)).toFixed(1)]);
        const [[cx, cy]] = points;
        const name = index + 1;
        parts.push(
          points.length > 1
            ? svg("path", { class: `line line-${name}`, d: `M${points.join("L")}` })
            : svg("circle", { class: `point point-${name}`, cx, cy, r: 2 }),
        );
      }
    });
  }
  if (cursor) {
    parts.push(svg("path", { class: "cursor", d: `M${x(cursor)} ${TOP}V${bottom}` }));
    const anchor = x(cursor) > right - 40 ? "end" : x(cursor) < LEFT + 40 ? "start" : "middle";
    const place = { x: x(cursor), y: TOP - 3, class: "cursor-time", "text-anchor": anchor };
    parts.push(svg("text", place, exactTime.format(cursor * 1000)));
  }
  element.replaceChildren(...parts);
}

// The sample at a place of a drawn chart, by its distance from the left.
export function timeAt(element, left, { from, to }) {
  const share = (left - LEFT) / (element.clientWidth - RIGHT - LEFT);
  return from + Math.min(1, Math.max(0, share)) * (to - from);
}

function bands(element, { samples, every, x, bottom, from }) {
  const id = `hatch-${element.id}`;
  const pattern = svg("pattern", {
    id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)",
  });
  pattern.append(svg("path", { class: "hatch", d: "M0 0V6" }));
  const parts = [svg("defs")];
  parts[0].append(pattern);
  for (const run of stretches(samples, (sample) => sample.circuit_open, every)) {
    const left = x(Math.max(from, run[0].at - every));
    const width = Math.max(2, x(run.at(-1).at) - left);
    const place = { x: left, y: TOP, width, height: bottom - TOP };
    parts.push(svg("rect", { ...place, class: "open", fill: `url(#${id})` }));
    parts.push(svg("path", { class: "open-edge", d: `M${left} ${TOP}h${width}` }));
  }
  return parts;
}
