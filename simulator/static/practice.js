// The practice phone: what the hands do, and what the call answers.

import { Sounds } from "./sounds.js";
import { caption, exchange } from "./shown.js";

const $ = (id) => document.getElementById(id);
const sounds = new Sounds();
const RANGES = { mobile: "+447700900", landline: "+441632960" };
const HINTS = {
  prompt: "Keys are heard: one stops the voice.",
  listening: "Keys are heard. Silence is an answer too.",
  digits: "A key was heard. Waiting for another.",
  speech: "Somebody spoke. Keys are not heard while speech is worked out.",
  speaking: "A voice speaks. Keys are not heard now.",
  pause: "Silence. Keys are not heard now.",
  in_flight: "A moment between two steps. Keys are not heard now.",
  ringing: "Somebody is being rung. Keys are not heard now.",
  whisper: "Somebody has answered and is told about this call first.",
  bridged: "Connected to somebody. Keys are not heard now.",
  room: "In a conference. Keys are not heard now.",
  queue: "Waiting in a queue.",
};
// Lines that tell what is going on rather than what is heard.
const INTERRUPTED = "Quietline interrupts, by an order from the console.";
const ENDS = {
  us: "The call was ended by Quietline.",
  caller: "The caller hung up.",
  error: "The exchange ended the call: see the captions.",
};

let call = null; // the running call: { sid, feed, began, answered }
let ticking = null;

function state(name, words) {
  document.body.dataset.state = name;
  $("state").textContent = words;
  const running = name === "ringing" || name === "open";
  $("call").disabled = running;
  $("hangup").disabled = !running;
  $("say-it").disabled = !running;
  for (const field of $("who").elements) field.disabled = running || (field.id === "number" && kind() === "withheld");
}

function kind() {
  return document.querySelector("input[name=kind]:checked").value;
}

function madeUp() {
  const withheld = kind() === "withheld";
  $("number").disabled = withheld;
  $("number").value = withheld ? "withheld" : RANGES[kind()] + String(Math.floor(Math.random() * 1000)).padStart(3, "0");
}

function wrong(sentence) {
  $("wrong").textContent = sentence;
  $("wrong").hidden = !sentence;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
  if (answer === null) throw new Error("The console does not answer. Is Quietline running?");
  const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.error ?? `That did not work (${answer.status}).`), { status: answer.status });
  return said;
}

async function place() {
  if (call || document.body.dataset.state === "ringing") return;
  wrong("");
  $("captions").replaceChildren();
  $("web").replaceChildren();
  $("count").textContent = "0";
  $("pressed").textContent = "–";
  $("timer").textContent = "0:00";
  $("hearing").textContent = "";
  $("how").classList.remove("known");
  $("hint").textContent = "Ringing…";
  state("ringing", "Calling…");
  sounds.ring();
  const from = kind() === "withheld" ? "anonymous" : $("number").value.replaceAll(" ", "");
  try {
    const placed = await post("calls", { from, to: $("line").value });
    call = { sid: placed.sid, began: Date.now(), feed: new EventSource(`calls/${placed.sid}/events`) };
    ticking = setInterval(tick, 250);
    call.feed.addEventListener("note", (told) => note(JSON.parse(told.data)));
    call.feed.addEventListener("wait", (told) => wait(JSON.parse(told.data)));
    call.feed.addEventListener("how", (told) => how(JSON.parse(told.data)));
    call.feed.addEventListener("web", (told) => web(JSON.parse(told.data)));
    call.feed.addEventListener("over", (told) => over(JSON.parse(told.data)));
    call.feed.addEventListener("error", () => call && wrong("The page lost its connection and is trying again."));
    call.feed.addEventListener("open", () => wrong(""));
  } catch (error) {
    sounds.quiet();
    state("over", "No call");
    $("hint").textContent = "Put it right and press Call again.";
    wrong(error.message);
  }
}

function tick() {
  const seconds = Math.floor((Date.now() - call.began) / 1000);
  $("timer").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function note(told) {
  if (told.kind === "answered") {
    sounds.stopRinging();
    state("open", "Line open");
  } else if (told.kind === "order") {
    // An order interrupts whatever is said or awaited, at once.
    sounds.hush();
    $("hearing").textContent = "";
    told.text = INTERRUPTED;
  } else if (told.kind === "heard" || told.kind === "voice" || told.kind === "error") {
    sounds.stopRinging();
    if (!told.tells_how || !asked()) $("hearing").textContent = `“${told.say}”`;
    sounds.say(told.say, told.language ?? "en-GB");
  } else if (told.kind === "pressed") {
    sounds.hush();
    $("pressed").textContent = ($("pressed").textContent + told.key).replace("–", "");
  } else if (told.kind === "bridged") {
    state("open", "Connected");
  } else if (told.kind === "unbridged") {
    state("open", "Line open");
  } else if (told.kind === "room") {
    state("open", told.room ? "In a conference" : "Line open");
  }
  const shown = caption(told);
  if (!shown) return;
  const captions = $("captions");
  const log = $("log");
  const stuck = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  captions.querySelector(".latest")?.classList.remove("latest");
  shown.classList.add("latest");
  captions.append(shown);
  if (stuck) log.scrollTop = log.scrollHeight;
}

function wait(told) {
  $("hint").textContent = HINTS[told.kind] ?? "";
}

// A question stays in sight while the voice goes on to tell how to answer it.
function asked() {
  return $("hearing").textContent.endsWith("?”");
}

function how(told) {
  $("how-yes").textContent = told.yes;
  $("how-no").textContent = told.no;
  $("how").classList.add("known");
}

function web(told) {
  $("web").prepend(exchange(told));
  $("count").textContent = String($("web").childElementCount);
}

function over(told) {
  sounds.stopRinging();
  if (told.by === "caller") sounds.hush();
  call.feed.close();
  clearInterval(ticking);
  call = null;
  state("over", "Call over");
  $("hearing").textContent = "";
  $("how").classList.remove("known");
  $("hint").textContent = `${ENDS[told.by] ?? "The call is over."} The board keeps it.`;
  $("call").focus();
}

async function press(key) {
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  button.classList.add("down");
  setTimeout(() => button.classList.remove("down"), 140);
  sounds.key(key);
  if (!call) {
    if (document.body.dataset.state !== "ringing") $("hint").textContent = "Press Call first.";
    return;
  }
  await post(`calls/${call.sid}/keys`, { key }).catch(trouble);
}

async function hangUp() {
  if (!call) return;
  sounds.quiet();
  await post(`calls/${call.sid}/hangup`, {}).catch(trouble);
}

// 409 only says that the call ended a moment ago, which the page is told anyway.
function trouble(error) {
  if (error.status !== 409) wrong(error.message);
}

$("pad").addEventListener("click", (event) => {
  const button = event.target.closest("[data-key]");
  if (button) press(button.dataset.key);
});
$("call").addEventListener("click", place);
$("hangup").addEventListener("click", hangUp);
$("who").addEventListener("change", (event) => event.target.name === "kind" && madeUp());
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = $("words").value.trim();
  if (!call || !words) return;
  post(`calls/${call.sid}/speech`, { words }).catch(trouble);
  $("words").value = "";
});
$("sound").addEventListener("click", () => {
  sounds.on = !sounds.on;
  $("sound").dataset.on = sounds.on ? "yes" : "no";
  $("sound").querySelector("b").textContent = sounds.on ? "on" : "off";
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "Escape") return hangUp();
  if (event.target.closest("input:not([type=radio])")) return;
  if (/^[0-9*#]$/.test(event.key)) {
    event.preventDefault();
    press(event.key);
  } else if (event.key === "Enter" && !event.target.closest("button, summary, a")) {
    place();
  }
});
window.addEventListener("pagehide", () => sounds.quiet());

// A choice only where there is one: without a file of lines all calls go to the emergency line.
async function lines() {
  const answer = await fetch("lines").catch(() => null);
  const known = answer?.ok ? await answer.json() : [];
  $("line").replaceChildren(...known.map((one) => new Option(one.name, one.number)));
  $("lines").hidden = known.length < 2;
}

madeUp();
lines();
state("idle", "Not in a call");
