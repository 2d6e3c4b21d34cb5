// A new alert is heard, seen in the title, shown by the desktop and said to a
// screen reader: on every page, in every tab, once per browser. One that nobody has
// sounds again and louder the higher the ladder has climbed.

import { feed } from "./feed.js";
import { keep, kept } from "./kept.js";
import * as notifications from "./notify.js";
import * as sound from "./sound.js";
import { URGENCIES, away, masked } from "./words.js";

const title = document.title;
const MOST_KEPT = 2000;
const LOUDER_FROM = 2; // the first rung above "all screens"
const LOOK_EVERY_MS = 100;
const SETTLE_MS = 300; // another tab reads what was kept here a moment later
const MOST_WAITED_MS = 1500;
const waiting = new Set();
// Supervisors are not called before the ladder comes to them.
const hearsFrom = Number(document.documentElement.dataset.hearsFrom ?? 0);
let trouble = ""; // why nothing new can be heard; a tab in the background has only its title
let said = null; // spoken on this page: what was there when it opened is not news

// What makes one alert: a call that becomes urgent, or a late full signal.
function alertOf(incident) {
  if (incident.urgency === 1) return `${incident.reference} 1 ${incident.signal === "confirmed"}`;
  if (incident.urgency === 2 && incident.state === "waiting") return `${incident.reference} 2`;
  return null;
}

function rung(incident) {
  return incident.work?.rung ?? 0;
}

function standing() {
  return [...feed.incidents.values()].filter((one) => alertOf(one) !== null && rung(one) >= hearsFrom);
}

// How far the ladder has climbed for what nobody has, or whose holder is away.
function highest() {
  const rungs = [...feed.incidents.values()].map(rung);
  const most = rungs.reduce((one, other) => Math.max(one, other), 0);
  return most >= Math.max(LOUDER_FROM, hearsFrom) ? most : 0;
}

function countInTitle() {
  if (trouble) {
    document.title = `(${trouble}) ${title}`;
    return;
  }
  const counts = { 1: 0, 2: 0 };
  for (const one of feed.incidents.values()) {
    if (alertOf(one) !== null && (one.state === "waiting" || away(one))) counts[one.urgency] += 1;
  }
  const parts = [1, 2].filter((rank) => counts[rank]).map((rank) => `${counts[rank]} ${URGENCIES[rank].word}`);
  const louder = highest() ? " !" : "";
  document.title = parts.length ? `(${parts.join(", ")}${louder}) ${title}` : title;
}

export function cannotHear(why) {
  if (why === trouble) return;
  trouble = why;
  countInTitle();
}

function say(fresh) {
  for (const rank of [1, 2]) {
    const texts = fresh.filter((one) => one.urgency === rank).map(
      (one) => `${URGENCIES[rank].word}: ${one.reasons.join(", ")}, caller ${masked(one).replace("…", "ending ")}.`,
    );
    if (texts.length) document.getElementById(rank === 1 ? "say-now" : "say").textContent = texts.join(" ");
  }
}

// The desktop tells of an alert when it comes, and again at each rung above the screens.
function noticeOf(incident) {
  return rung(incident) >= LOUDER_FROM ? `${alertOf(incident)} rung ${rung(incident)}` : alertOf(incident);
}

// One tab after the other. One that is frozen in its turn must not silence the rest.
function inTurn(means, act) {
  if (!navigator.locks) return void act();
  // Whoever waits already acts on what stands when the turn comes.
  if (waiting.has(means)) return;
  waiting.add(means);
  const run = () => {
    waiting.delete(means);
    return act();
  };
  const signal = AbortSignal.timeout?.(MOST_WAITED_MS);
  // Whatever kept the turn from coming: to sound twice is better than not at all.
  navigator.locks.request(`quietline-${means}`, { signal }, run).catch(() => {
    if (waiting.has(means)) run();
  });
}

// The turn of a tab that sounded lasts on: the next would not read yet that it did. Timers
// of a tab that is heard are not held up.
const settled = () => new Promise((done) => { setTimeout(done, SETTLE_MS); });

// Only one tab may sound for one alert, and only one that can.
function once(means, name, act, after = () => null) {
  const run = () => {
    const done = new Set(kept(means, []));
    const present = standing();
    const fresh = present.filter((one) => !done.has(name(one)));
    if (!fresh.length || !act(fresh)) return null;
    const here = new Set(present.map(name));
    const rest = [...done].filter((one) => !here.has(one)).slice(-MOST_KEPT);
    keep(means, [...rest, ...here]);
    return after();
  };
  inTurn(means, run);
}

function soundOut() {
  if (sound.able()) once("sounded", alertOf, (fresh) => sound.chime(Math.min(...fresh.map((one) => one.urgency))), settled);
}

function notifyAll() {
  if (!notifications.may()) return;
  once("notified", noticeOf, (fresh) => fresh.map((one) => notifications.notify(one, URGENCIES[one.urgency].word)).some(Boolean));
}

// Said again by the desktop at each rung, and sounded again until somebody has it.
function climb() {
  const most = highest();
  if (!most || !feed.complete) return;
  const ring = () => {
    const rangAt = kept("rang", 0);
    const passed = Date.now() - rangAt;
    if (passed >= 0 && passed < sound.every(most)) return null;
    if (!sound.ring(most)) return null;
    keep("rang", Date.now());
    return settled();
  };
  if (sound.able()) inTurn("rang", ring);
}

let looking = null;
let lookedAt = -Infinity;

// A flood of changes is looked at together, the first of them at once.
function lookSoon() {
  if (looking !== null || !feed.complete) return;
  const passed = performance.now() - lookedAt;
  if (passed >= LOOK_EVERY_MS) look();
  else looking = setTimeout(look, LOOK_EVERY_MS - passed);
}

function look() {
  clearTimeout(looking);
  looking = null;
  lookedAt = performance.now();
  countInTitle();
  const present = standing();
  if (said !== null) say(present.filter((one) => !said.has(alertOf(one))));
  said = new Set([...(said ?? []), ...present.map(alertOf)]);
  soundOut();
  notifyAll();
}

export function start() {
  sound.start(soundOut);
  notifications.start();
  feed.addEventListener("board", lookSoon);
  setInterval(climb, 500);
}
