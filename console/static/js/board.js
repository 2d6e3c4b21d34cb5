// The live board. It keeps still under the hand that reads it: while a row is
// pointed at or has the focus, nothing moves, and a count says what waits.

import { send } from "./deeds.js";
import { feed } from "./feed.js";
import { floods } from "./floods.js";
import * as keyboard from "./keyboard.js";
import { fill, made } from "./row.js";
import { set } from "./text.js";
import { tickWhenSeen } from "./time.js";
import { tell } from "./told.js";
import { URGENCIES, order, state } from "./words.js";

const HOLD_MS = 10000;
const CLICK_GUARD_MS = 400;
const SETTLE_EVERY_MS = 60; // changes that come in a flood are arranged together, the first at once
const body = document.getElementById("rows");
const floodTemplate = document.getElementById("flood-template").content.firstElementChild;
const button = document.getElementById("meanwhile");
const rows = new Map([...body.children].map((row) => [row.dataset.reference, row]));
const opened = new Set();
const heads = new Map();
let busyAt = -Infinity;
let movedAt = -Infinity;
let settledAt = -Infinity;
let settling = null;

function held() {
  if (performance.now() - busyAt > HOLD_MS) return false;
  return body.contains(document.activeElement) || body.querySelector("tr:hover") !== null;
}

function wantedNow() {
  return floods([...feed.incidents.values()].sort(order), opened);
}

// What would change if the rows moved now.
function waitingChanges(wanted) {
  const shown = [...body.children].filter((row) => !row.matches(".flood"));
  const fresh = wanted.order.filter((one) => !rows.has(one.reference));
  const same = wanted.order.length === shown.length &&
    wanted.order.every((one, at) => one.reference === shown[at].dataset.reference);
  return { fresh, same };
}

function showMeanwhile({ fresh, same }) {
  button.hidden = same;
  if (same) return;
  const ranks = fresh.map((one) => one.urgency);
  const parts = [1, 2, 3, 4].filter((rank) => ranks.includes(rank)).map(
    (rank) => `${ranks.filter((one) => one === rank).length} ${URGENCIES[rank].word}`,
  );
  button.classList.toggle("has-now", ranks.includes(1));
  const text = parts.length ? `New: ${parts.join(", ")}. Show` : "The order changed. Show";
  set(document.getElementById("meanwhile-text"), text);
}

function headOf(lead, words) {
  const head = heads.get(words.number) ?? floodTemplate.cloneNode(true);
  heads.set(words.number, head);
  head.className = `flood urgency-${lead.urgency}`;
  const toggle = head.querySelector("button");
  toggle.dataset.number = words.number;
  toggle.setAttribute("aria-expanded", String(words.open));
  set(toggle, words.text);
  return head;
}

function arrange(wanted = wantedNow()) {
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  const present = new Set(wanted.order.map((one) => one.reference));
  for (const [reference, row] of rows) {
    if (present.has(reference)) continue;
    row.remove();
    rows.delete(reference);
  }
  let next = body.firstElementChild;
  const put = (row) => {
    if (row === next) {
      next = next.nextElementSibling;
      return;
    }
    body.insertBefore(row, next);
    movedAt = performance.now();
  };
  const standing = new Set();
  for (const incident of wanted.order) {
    const row = rows.get(incident.reference) ?? made(incident);
    rows.set(incident.reference, row);
    row.classList.toggle("folded", wanted.folded.has(incident.reference));
    put(row);
    const words = wanted.heads.get(incident.reference);
    if (!words) continue;
    standing.add(words.number);
    put(headOf(incident, words));
  }
  for (const [number, head] of heads) {
    if (standing.has(number)) continue;
    head.remove();
    heads.delete(number);
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
  if (changed) {
    const row = rows.get(changed.reference);
    if (row) {
      fill(row, changed);
      row.classList.toggle("gone", !feed.incidents.has(changed.reference));
    }
  } else {
    for (const incident of feed.incidents.values()) {
      const row = rows.get(incident.reference);
      if (row) fill(row, incident);
    }
    for (const [reference, row] of rows) row.classList.toggle("gone", !feed.incidents.has(reference));
  }
  if (settling !== null) return;
  const passed = performance.now() - settledAt;
  if (passed >= SETTLE_EVERY_MS) settle();
  else settling = setTimeout(settle, SETTLE_EVERY_MS - passed);
}

function settle() {
  clearTimeout(settling);
  settling = null;
  if (!feed.complete) return;
  settledAt = performance.now();
  count();
  const wanted = wantedNow();
  const changes = waitingChanges(wanted);
  if (!changes.same && held()) showMeanwhile(changes);
  else if (!changes.same || wanted.heads.size || heads.size) arrange(wanted);
  else button.hidden = true;
}

async function claim(row) {
  const take = row.querySelector("[data-claim]");
  if (!take) return tell("Your role does not work calls.");
  const { reference } = row.dataset;
  const incident = feed.incidents.get(reference);
  if (!incident) return tell(`${reference} is closed.`);
  if (take.hidden) return tell(`${reference}: ${state(incident)}. Enter opens it.`);
  take.disabled = true;
  const answer = await send(reference, take.textContent === "Take over" ? "take-over" : "claim");
  take.disabled = false;
  if (answer.ok) location.assign(`/incidents/${reference}`);
  else tell(`${reference}: ${answer.error}`);
}

for (const sign of ["pointermove", "pointerdown", "keydown", "focusin"]) {
  addEventListener(sign, (event) => {
    if (event.pointerType !== "touch") busyAt = performance.now();
  }, { passive: true, capture: true });
}
button.addEventListener("click", () => arrange());
body.addEventListener("click", (event) => {
  const toggle = event.target.closest(".flood button");
  if (toggle) {
    const { number } = toggle.dataset;
    if (!opened.delete(number)) opened.add(number);
    return arrange();
  }
  const guarded = performance.now() - movedAt < CLICK_GUARD_MS && event.detail > 0;
  if (guarded) return event.preventDefault(); // the row under the pointer just changed
  const row = event.target.closest("tr.row");
  if (!row) return;
  if (event.target.closest("[data-claim]")) return claim(row);
  if (event.target.closest("a") || String(getSelection())) return;
  location.assign(row.querySelector(".reference a").href);
});
keyboard.on("c", () => {
  const row = document.activeElement?.closest("tr.row");
  if (row) claim(row);
  else tell("Go to a call first, with j or ↓, then press c.");
});
keyboard.on("/", () => document.getElementById("find-reference").focus());
feed.addEventListener("board", (event) => update(event.detail));
// A notice pushes the rows down: no click may land on another row than was meant.
const pushed = new ResizeObserver(() => { movedAt = performance.now(); });
for (const id of ["notices", "alarms"]) pushed.observe(document.getElementById(id));
for (const row of rows.values()) tickWhenSeen(row);
setInterval(settle, 500);
if (feed.complete) update(null);
document.documentElement.dataset.ready = "";
