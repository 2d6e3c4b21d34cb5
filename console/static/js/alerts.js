// A new alert is heard, seen in the title, shown by the desktop and said to a
// screen reader: on every page, in every tab, once per browser.

import { feed } from "./feed.js";
import { keep, kept } from "./kept.js";
import * as notifications from "./notify.js";
import * as sound from "./sound.js";
import { URGENCIES, masked } from "./words.js";

const title = document.title;
const MOST_KEPT = 2000;
let trouble = ""; // why nothing new can be heard; a tab in the background has only its title
let said = null; // spoken on this page: what was there when it opened is not news

// What makes one alert: a call that becomes urgent, or a late full signal.
function alertOf(incident) {
  if (incident.urgency === 1) return `${incident.reference} 1 ${incident.signal === "confirmed"}`;
  if (incident.urgency === 2 && incident.state === "waiting") return `${incident.reference} 2`;
  return null;
}

function standing() {
  return [...feed.incidents.values()].filter((one) => alertOf(one) !== null);
}

function countInTitle() {
  if (trouble) {
    document.title = `(${trouble}) ${title}`;
    return;
  }
  const counts = { 1: 0, 2: 0 };
  for (const one of standing()) if (one.state === "waiting") counts[one.urgency] += 1;
  const parts = [1, 2].filter((rank) => counts[rank]).map((rank) => `${counts[rank]} ${URGENCIES[rank].word}`);
  document.title = parts.length ? `(${parts.join(", ")}) ${title}` : title;
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

// Only one tab may sound for one alert, and only one that can.
function once(means, act) {
  const run = () => {
    const done = new Set(kept(means, []));
    const present = standing();
    const fresh = present.filter((one) => !done.has(alertOf(one)));
    if (!fresh.length || !act(fresh)) return;
    const here = new Set(present.map(alertOf));
    const rest = [...done].filter((one) => !here.has(one)).slice(-MOST_KEPT);
    keep(means, [...rest, ...here]);
  };
  if (navigator.locks) navigator.locks.request(`quietline-${means}`, run);
  else run();
}

function soundOut() {
  if (sound.able()) once("sounded", (fresh) => sound.chime(Math.min(...fresh.map((one) => one.urgency))));
}

function notifyAll() {
  once("notified", (fresh) => fresh.map((one) => notifications.notify(one, URGENCIES[one.urgency].word)).some(Boolean));
}

function look() {
  countInTitle();
  if (!feed.complete) return;
  const present = standing();
  if (said !== null) say(present.filter((one) => !said.has(alertOf(one))));
  said = new Set([...(said ?? []), ...present.map(alertOf)]);
  soundOut();
  notifyAll();
}

export function start() {
  sound.start(soundOut);
  notifications.start();
  feed.addEventListener("board", look);
}
