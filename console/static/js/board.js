// The live board. It keeps still under the hand that reads it: while a row is
// pointed at or has the focus, nothing moves, and a count says what waits.

import { feed } from "./feed.js";
import { tick } from "./time.js";
import { CONNECTIONS, URGENCIES, keys, masked, order, purpose, state } from "./words.js";

const HOLD_MS = 10000;
const CLICK_GUARD_MS = 400;
const body = document.getElementById("rows");
const template = document.getElementById("row-template").content.firstElementChild;
const button = document.getElementById("meanwhile");
const rows = new Map([...body.children].map((row) => [row.dataset.reference, row]));
let busyAt = -Infinity;
let movedAt = -Infinity;

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function shape(element, name) {
  element.querySelector("use").setAttribute("href", `#shape-${name}`);
}

function fill(row, incident) {
  const { word, shape: form } = URGENCIES[incident.urgency];
  const look = `row urgency-${incident.urgency}`;
  if (!row.className.startsWith(look)) row.className = look;
  row.classList.remove("gone");
  row.dataset.reference = incident.reference;
  shape(row.querySelector(".rank"), form);
  set(row.querySelector(".rank .word"), word);
  const wait = row.querySelector("time");
  wait.dataset.since = incident.started_at;
  wait.dateTime = incident.started_at;
  tick(wait);
  const link = row.querySelector(".reference a");
  link.href = `/incidents/${incident.reference}`;
  set(link, incident.reference);
  const tag = row.querySelector("[data-purpose]");
  set(tag, purpose(incident));
  tag.hidden = !tag.textContent;
  set(row.querySelector(".caller"), masked(incident));
  set(row.querySelector("[data-keys]"), keys(incident.keys));
  const line = row.querySelector(".connection");
  line.className = `connection connection-${incident.connection}`;
  shape(line, incident.connection);
  set(line.querySelector(".word"), CONNECTIONS[incident.connection]);
  set(row.querySelector("[data-reasons]"), incident.reasons.join(" · "));
  const of = row.querySelector("[data-state]");
  set(of, state(incident));
  of.hidden = !of.textContent;
}

function held() {
  if (performance.now() - busyAt > HOLD_MS) return false;
  return body.contains(document.activeElement) || body.querySelector("tr:hover") !== null;
}

function wantedOrder() {
  return [...feed.incidents.values()].sort(order);
}

// What would change if the rows moved now.
function waitingChanges() {
  const wanted = wantedOrder().map((one) => one.reference);
  const shown = [...body.children].map((row) => row.dataset.reference);
  const fresh = wanted.filter((reference) => !rows.has(reference));
  const same = wanted.length === shown.length && wanted.every((reference, at) => reference === shown[at]);
  return { fresh, same };
}

function showMeanwhile({ fresh, same }) {
  button.hidden = same;
  if (same) return;
  const ranks = fresh.map((reference) => feed.incidents.get(reference).urgency);
  const parts = [1, 2, 3, 4].filter((rank) => ranks.includes(rank)).map(
    (rank) => `${ranks.filter((one) => one === rank).length} ${URGENCIES[rank].word}`,
  );
  button.classList.toggle("has-now", ranks.includes(1));
  const text = parts.length ? `Arrived meanwhile: ${parts.join(", ")}. Show` : "The order changed. Show";
  set(document.getElementById("meanwhile-text"), text);
}

function arrange() {
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const wanted = wantedOrder();
  const present = new Set(wanted.map((one) => one.reference));
  for (const [reference, row] of rows) {
    if (present.has(reference)) continue;
    row.remove();
    rows.delete(reference);
  }
  let next = body.firstElementChild;
  for (const incident of wanted) {
    let row = rows.get(incident.reference);
    if (!row) {
      row = template.cloneNode(true);
      fill(row, incident);
      row.classList.add("arrived");
      rows.set(incident.reference, row);
    }
    if (row === next) {
      next = next.nextElementSibling;
    } else {
      body.insertBefore(row, next);
      movedAt = performance.now();
    }
  }
  if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  button.hidden = true;
}

function count() {
  const totals = { 1: 0, 2: 0, 3: 0, 4: 0 };
  let beyond = 0;
  for (const one of feed.incidents.values()) totals[one.urgency] += 1;
  for (const [rank, more] of Object.entries(feed.beyond)) {
    totals[rank] += more;
    beyond += more;
  }
  for (const one of document.querySelectorAll("[data-count]")) {
    set(one.querySelector("b"), String(totals[one.dataset.count]));
  }
  document.getElementById("beyond").hidden = beyond === 0;
  set(document.getElementById("beyond-count"), String(beyond));
  document.getElementById("empty").hidden = feed.incidents.size > 0;
}

function update(changed) {
  if (!feed.complete) return;
  const incidents = changed ? [changed] : feed.incidents.values();
  for (const incident of incidents) {
    const row = rows.get(incident.reference);
    if (row) fill(row, incident);
  }
  for (const [reference, row] of rows) row.classList.toggle("gone", !feed.incidents.has(reference));
  count();
  settle();
}

function settle() {
  if (!feed.complete) return;
  const changes = waitingChanges();
  if (changes.same) button.hidden = true;
  else if (held()) showMeanwhile(changes);
  else arrange();
}

for (const sign of ["pointermove", "pointerdown", "keydown", "focusin"]) {
  addEventListener(sign, (event) => {
    if (event.pointerType !== "touch") busyAt = performance.now();
  }, { passive: true, capture: true });
}
button.addEventListener("click", () => arrange());
body.addEventListener("click", (event) => {
  const guarded = performance.now() - movedAt < CLICK_GUARD_MS && event.detail > 0;
  if (guarded) return event.preventDefault(); // the row under the pointer just changed
  const row = event.target.closest("tr.row");
  if (!row || event.target.closest("a") || String(getSelection())) return;
  location.assign(row.querySelector(".reference a").href);
});
feed.addEventListener("board", (event) => update(event.detail));
// A notice pushes the rows down: no click may land on another row than was meant.
const pushed = new ResizeObserver(() => { movedAt = performance.now(); });
for (const id of ["notices", "alarms"]) pushed.observe(document.getElementById(id));
setInterval(settle, 500);
if (feed.complete) update(null);
