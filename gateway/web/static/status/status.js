// The last hour of a gateway: asks for new samples, and draws them, while the page is seen.

import { drawChart, exactTime, linearScale, logScale, swatch, thin, timeAt } from "./chart.js";

const KEY = "bigcommerce-segments-gateway:status:key";
const RETRY_SECONDS = 5;
const LONGEST_SECONDS = 10;
// Seconds of a point, by the seconds of the time shown: more points than that would be a ribbon.
const POINT_SECONDS = { 300: 5, 900: 10, 3600: 30 };

const perSecond = (count) => (sample) => count(sample) / sample.seconds;
const percentile = (of, which) => (sample) => sample[of]?.[which] ?? null;
const rates = (values) => linearScale(Math.max(1, ...values));
const seconds = (values) => logScale(Math.min(...values), Math.max(...values));

// `lines` stand in the order of their colours and dashes.
const CHARTS = [
  {
    id: "quota",
    title: "Quota left",
    meaning: "Requests that the store's API still allows in its window; the grey line is all of it.",
    lines: [{ name: "left", value: (sample) => sample.quota_remaining ?? null }],
    limit: (sample) => sample.quota_limit ?? null,
    scale: rates,
    format: whole,
    more: (sample) => (sample.quota_limit ? `of ${whole(sample.quota_limit)}` : ""),
  },
  {
    id: "requests",
    title: "Requests",
    meaning: "What clients asked, and what that took of the store; per second.",
    lines: [
      { name: "clients", value: perSecond((sample) => sample.requests ?? 0) },
      { name: "store", value: perSecond((sample) => sample.upstream_requests ?? 0) },
      { name: "store, failed", value: perSecond((sample) => sample.upstream_failures ?? 0) },
    ],
    scale: rates,
    format: rate,
    more: () => "/s",
  },
  {
    id: "cache",
    title: "Answers from the cache",
    meaning: "Whole answers that were ready; else values by how they were read; per second.",
    lines: [
      { name: "ready", value: perSecond((sample) => sample.ready_answers ?? 0) },
      { name: "stale", value: perSecond((sample) => sample.stale ?? 0) },
      { name: "hit", value: perSecond((sample) => sample.hits ?? 0) },
      { name: "miss", value: perSecond((sample) => sample.misses ?? 0) },
    ],
    scale: rates,
    format: rate,
    more: () => "/s",
  },
  {
    id: "answers",
    title: "Time to answer clients",
    meaning: "Half, 95 % and 99 % of the answers were faster; each step up is ten times slower.",
    lines: ["p50", "p95", "p99"].map((which) => ({
      name: which, value: percentile("seconds_of_requests", which),
    })),
    scale: seconds,
    format: duration,
  },
  {
    id: "upstream",
    title: "Time that the store's API took",
    meaning: "Half, 95 % and 99 % of the upstream requests were faster.",
    lines: ["p50", "p95", "p99"].map((which) => ({
      name: which, value: percentile("seconds_of_upstream", which),
    })),
    scale: seconds,
    format: duration,
  },
];

let samples = [];
let every = 5;
let windowSeconds = 3600;
let aheadBy = 0; // the gateway's clock, against the browser's
let range = null; // chosen by the first answer, then by the reader
let cursor = null;
let timer;
let lostAt = null;

const byId = (id) => document.getElementById(id);
const now = () => Date.now() / 1000 + aheadBy;
const time = (at) => exactTime.format(at * 1000);

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function whole(value) {
  return Math.round(value).toLocaleString("en");
}

function rate(value) {
  if (value >= 1e5) return `${(value / 1000).toFixed(0)}k`;
  if (value >= 1e4) return `${(value / 1000).toFixed(1)}k`;
  return value >= 10 ? whole(value) : String(Number(value.toPrecision(2)));
}

function duration(value) {
  if (value >= 0.9995) return `${Number(value.toPrecision(2))} s`;
  return `${Number((value * 1000).toPrecision(2))} ms`;
}

function span(total) {
  return total < 120 ? `${Math.round(total)} s` : `${Math.round(total / 60)} min`;
}

// --- asking

async function ask() {
  clearTimeout(timer);
  if (document.hidden) return;
  const key = sessionStorage.getItem(KEY);
  let wait = RETRY_SECONDS;
  try {
    const response = await fetch(`status/data?since=${samples.at(-1)?.at ?? 0}`, {
      headers: { Accept: "application/json", ...(key && { Authorization: `Bearer ${key}` }) },
      signal: AbortSignal.timeout(LONGEST_SECONDS * 1000),
    });
    const answer = await response.json().catch(() => null);
    if (response.status === 401 || response.status === 403) {
      refuse(answer?.errors?.[0].message ?? `The gateway answered ${response.status}.`, key);
      return;
    }
    if (!response.ok) {
      const message = answer?.errors?.[0].message ?? response.statusText;
      lose(`The gateway answered ${response.status}, ${message.replace(/\.$/, "")},`);
    } else {
      take(answer);
      wait = every + (samples.at(-1)?.at ?? answer.now) - answer.now + 0.5;
    }
  } catch {
    lose("No answer from the gateway");
  }
  draw();
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(ask, Math.min(every, Math.max(1, wait)) * 1000);
}

function take(answer) {
  every = answer.every_seconds;
  windowSeconds = answer.window_seconds;
  aheadBy = answer.now - Date.now() / 1000;
  const newest = samples.at(-1)?.at ?? 0;
  samples.push(...answer.samples.filter((sample) => sample.at > newest));
  samples = samples.filter((sample) => sample.at > answer.now - windowSeconds);
  lostAt = null;
  if (range === null) choose(answer.now - (samples[0]?.at ?? answer.now));
  show(true);
  const openSince = samples.findLast((sample, n) => sample.circuit_open && !samples[n - 1]?.circuit_open);
  if (samples.at(-1)?.circuit_open)
    say(`The circuit is open since ${time(openSince.at)}: an operation of the store's API fails.`, "bad");
  else if (samples.length) say("The gateway runs, the circuit is closed.", "good");
  else say("The gateway runs; the first numbers come within 5 seconds.", "good");
  byId("read-at").textContent = `Read at ${time(answer.now)}.`;
}

// The shortest time that shows the whole history.
function choose(age) {
  const shortest = Object.keys(POINT_SECONDS).map(Number).find((seconds) => seconds >= age);
  range = shortest ?? windowSeconds;
  document.querySelector(`input[value="${range}"]`).checked = true;
}

function lose(what) {
  lostAt ??= now();
  say(`${what} since ${time(lostAt)}; asking again every ${RETRY_SECONDS} seconds.`, "bad");
}

function refuse(message, key) {
  sessionStorage.removeItem(KEY);
  say("The numbers need a key.", "bad");
  byId("read-at").textContent = "";
  byId("refusal").textContent = key ? `Not with this key: ${message}` : "";
  show(false);
  byId("key").focus();
}

function show(hasNumbers) {
  byId("credentials").hidden = hasNumbers;
  for (const id of ["charts", "ranges", "notes"]) byId(id).hidden = !hasNumbers;
}

function say(text, kind) {
  const state = byId("state");
  state.className = kind;
  if (state.textContent !== text) state.textContent = text; // screen readers read changes
}

// --- drawing

function view() {
  const to = now();
  const from = to - range;
  const seen = samples.filter((sample) => sample.at >= from);
  const size = Math.max(every, POINT_SECONDS[range]);
  return { from, to, every: size, cursor, seen, samples: thin(seen, size) };
}

// What the figures show: the point at the cursor, else the newest sample unless it is old.
function shown({ samples: points, every: size, seen, to }) {
  if (cursor !== null) return points.find((point) => Math.ceil(point.at / size) * size === cursor);
  const newest = seen.at(-1);
  return newest && to - newest.at < 3 * every ? newest : undefined;
}

function addCharts() {
  for (const chart of CHARTS) {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of [["id", chart.id], ["class", "chart"], ["role", "img"], ["tabindex", 0]])
      picture.setAttribute(key, value);
    chart.picture = picture;
    chart.height = 170;
    chart.figures = chart.lines.map(() => make("dd"));
    chart.rows = make("tbody");
    chart.when = make("span");
    const head = ["", chart.when, "lowest", "mean", "highest"].map((text, column) =>
      make("th", { scope: "col", ...(column && { class: "number" }) }, text));
    byId("charts").append(
      make("section", { "aria-labelledby": `${chart.id}-title` },
        make("h2", { id: `${chart.id}-title` }, chart.title),
        make("p", { class: "meaning" }, chart.meaning),
        make("dl", { class: "values" }, ...chart.lines.map((line, index) =>
          make("div", {}, make("dt", {}, swatch(index + 1), line.name), chart.figures[index]))),
        picture,
        make("details", {}, make("summary", {}, "Numbers"),
          make("table", {}, make("thead", {}, make("tr", {}, ...head)), chart.rows))),
    );
    picture.addEventListener("pointermove", (event) => {
      move(timeAt(picture, event.offsetX, view()));
    });
    picture.addEventListener("pointerleave", () => move(null));
    picture.addEventListener("blur", () => move(null));
    picture.addEventListener("keydown", step);
    new ResizeObserver(draw).observe(picture);
  }
  byId("charts").append(
    make("section", { "aria-labelledby": "errors-title" },
      make("h2", { id: "errors-title" }, "Circuit and last errors"),
      make("p", { class: "meaning" }, "The circuit is open while an operation of the store's API is only probed; errors in answers to clients, by code, the latest first."),
      make("dl", { class: "values" },
        make("div", {}, make("dt", {}, "circuit"), make("dd", { id: "circuit" })),
        make("div", {}, make("dt", {}, "open in the time shown"), make("dd", { id: "open-for" }))),
      make("div", { id: "errors" })),
  );
}

function move(at) {
  const size = view().every;
  cursor = at === null ? null : Math.round(at / size) * size;
  draw();
}

function step(event) {
  const { from, to, every: size } = view();
  const start = cursor ?? to;
  const next = { ArrowLeft: start - size, ArrowRight: start + size, Home: from + size, End: to };
  if (event.key === "Escape") move(null);
  else if (event.key in next) move(Math.min(to, Math.max(from, next[event.key])));
  else return;
  event.preventDefault();
}

function draw() {
  if (range === null) return;
  const seen = view();
  const sample = shown(seen);
  for (const chart of CHARTS) {
    const text = (value) => (value === null ? "–" : chart.format(value));
    const table = chart.lines.map((line, index) => {
      const current = sample ? line.value(sample) : null;
      const more = current === null ? "" : (chart.more?.(sample) ?? "");
      chart.figures[index].replaceChildren(text(current), " ", make("small", {}, more));
      const values = seen.seen.map(line.value).filter((value) => value !== null);
      const sum = values.reduce((left, right) => left + right, 0);
      const [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [null, null];
      return [line.name, ...[current, low, values.length ? sum / values.length : null, high].map(text)];
    });
    chart.rows.replaceChildren(...table.map(([name, ...cells]) => make("tr", {},
      make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", { class: "number" }, cell)))));
    const summary = table.map(([name, current, low, , high]) =>
      `${name} ${current}, from ${low} to ${high}`).join("; ");
    const when = cursor === null ? "now" : `at ${time(cursor)}`;
    chart.when.textContent = when;
    chart.picture.setAttribute("aria-label", `${chart.title}, ${when}: ${summary}.`);
    drawChart(chart.picture, chart, seen);
  }
  byId("circuit").textContent = sample ? (sample.circuit_open ? "open" : "closed") : "–";
  const open = seen.seen.filter((each) => each.circuit_open);
  byId("open-for").textContent = span(open.reduce((sum, each) => sum + each.seconds, 0));
  drawErrors(seen.seen);
}

function drawErrors(seen) {
  const codes = new Map();
  for (const { at, errors = {} } of seen)
    for (const [code, count] of Object.entries(errors))
      codes.set(code, { at, count: count + (codes.get(code)?.count ?? 0) });
  const rows = [...codes].sort(([, left], [, right]) => right.at - left.at).map(([code, last]) =>
    make("tr", {}, make("th", { scope: "row" }, make("code", {}, ...code.split("_").flatMap((word, n) => (n ? ["_", make("wbr"), word] : [word])))),
      make("td", { class: "number" }, whole(last.count)), make("td", { class: "number" }, time(last.at))));
  const head = make("tr", {}, make("th", { scope: "col" }, "code"),
    make("th", { scope: "col", class: "number" }, "errors"), make("th", { scope: "col", class: "number" }, "last"));
  byId("errors").replaceChildren(rows.length
    ? make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))
    : make("p", {}, "No errors in the time shown."));
}

// --- starting

addCharts();
byId("ranges").addEventListener("change", (event) => {
  range = Number(event.target.value);
  draw();
});
byId("credentials").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = byId("key").value.trim();
  byId("key").value = "";
  if (/[^!-~]/.test(key)) return refuse("it has a character that no key has.", key); // no header
  sessionStorage.setItem(KEY, key);
  ask();
});
document.addEventListener("visibilitychange", ask);
ask();
