// Chimes, made here: no file to load, nothing to go missing.

import { keep, kept } from "./kept.js";
import { released } from "./press.js";

const button = document.getElementById("sound");
const notice = document.getElementById("silent");
const Context = window.AudioContext ?? window.webkitAudioContext;

let on = kept("sound", true);
let context = null;
let whenAble = () => {};

// A bell: a few partials that die away.
function strike(at, pitch, loudness, lasts) {
  for (const [partial, share] of [[1, 1], [2, 0.45], [3.01, 0.2]]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch * partial;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(loudness * share, at + 0.012);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + lasts / partial);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + lasts);
  }
}

const CHIMES = {
  1: (at) => { strike(at, 880, 0.5, 1.1); strike(at + 0.18, 1174.7, 0.5, 1.3); strike(at + 0.36, 1568, 0.45, 1.6); },
  2: (at) => strike(at, 659.3, 0.16, 0.9),
};

// The ladder: the higher the rung, the more often it sounds, and the louder.
const RINGS = {
  2: { every: 6000, times: 1, loudness: 0.6 },
  3: { every: 4000, times: 2, loudness: 0.75 },
  4: { every: 3000, times: 3, loudness: 0.9 },
};

export function every(rung) {
  return RINGS[Math.min(rung, 4)].every;
}

export function ring(rung) {
  if (!able()) return false;
  const { times, loudness } = RINGS[Math.min(rung, 4)];
  for (let nth = 0; nth < times; nth += 1) {
    const at = context.currentTime + 0.02 + nth * 0.7;
    strike(at, 880, loudness, 0.5);
    strike(at + 0.16, 1174.7, loudness, 0.5);
    strike(at + 0.32, 1568, loudness, 0.7);
  }
  const { dataset } = document.documentElement;
  dataset.rang = String(Number(dataset.rang ?? 0) + 1);
  dataset.rung = String(rung);
  return true;
}

export function able() {
  return on && context?.state === "running";
}

export function wanted() {
  return on;
}

export function chime(urgency) {
  if (!able() || !CHIMES[urgency]) return false;
  CHIMES[urgency](context.currentTime + 0.02);
  document.documentElement.dataset.chimed = String(Number(document.documentElement.dataset.chimed ?? 0) + 1);
  return true;
}

const isBlocked = () => on && context?.state !== "running";

function show() {
  const blocked = isBlocked();
  if (blocked && Context) notice.hidden = false;
  // The press that lets it sound is meant for something below this notice, which must not move.
  else released().then(() => { notice.hidden = !isBlocked() || !Context; });
  button.classList.toggle("off", !on);
  button.classList.toggle("blocked", blocked);
  button.setAttribute("aria-pressed", String(on));
  button.querySelector(".condition").textContent = !Context ? "impossible here" : blocked ? "BLOCKED" : on ? "on" : "off";
}

// What the button read when it was pressed: the press itself may unblock the sound,
// and must not turn it off in the same breath.
let pressedBlocked = false;

function gesture() {
  pressedBlocked = button.classList.contains("blocked");
  wake();
}

function wake() {
  if (!on || !context || context.state === "running") return;
  context.resume().catch(() => {});
}

export function start(able) {
  whenAble = able;
  if (Context) {
    context = new Context();
    let was = context.state;
    context.onstatechange = () => {
      show();
      if (context.state === "running" && was !== "running") whenAble();
      was = context.state;
    };
  }
  for (const sign of ["pointerdown", "keydown"]) addEventListener(sign, gesture, { capture: true });
  document.getElementById("unblock").addEventListener("click", () => {
    wake();
    document.getElementById("main").focus();
  });
  button.addEventListener("click", () => {
    if (on && pressedBlocked) return wake();
    on = !on;
    keep("sound", on);
    if (on) { wake(); chime(2); }
    show();
  });
  addEventListener("storage", (event) => {
    if (event.key !== "quietline.sound") return;
    on = kept("sound", true);
    show();
  });
  // The state may settle a moment after the start; do not cry wolf.
  setTimeout(show, 150);
}
