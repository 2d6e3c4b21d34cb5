// What a handler does on a call's page: claim, ask, connect, hold, grade, close. It
// decides nothing: the console does, and its refusals are shown as they come.

import { confirm } from "./confirm.js";
import { send } from "./deeds.js";
import * as dialogs from "./dialogs.js";
import * as keyboard from "./keyboard.js";
import { clear, standing, tell } from "./told.js";

const LEAVE_MS = 4000; // within which a second Esc leaves one's own open call
const GUARD_MS = 600; // a question that has just taken a number is not asked by a press meant for another
const page = document.getElementById("incident");
const numberedAt = new Map();
let leavingAt = -Infinity;
let reference = "";
let read = () => {};

const by = (id) => document.getElementById(id);
const summary = () => document.querySelector('[data-part-of="summary"]');

// Sends one deed and tells what came of it. A reason that turns out to be needed is asked for.
async function act(deed, content, well) {
  const before = standing();
  let answer = await send(reference, deed, content);
  if (answer.status === 422 && answer.field === "reason" && !content.reason) {
    const { title, act: word } = TAKES_REASON[deed] ?? { title: "Say why", act: "Send" };
    const given = await confirm({ title, text: answer.error, act: word, asks: "needed" });
    if (given === null) return { ok: false };
    answer = await send(reference, deed, { ...content, ...given });
  }
  if (answer.pending) tell("Proposed. A second person must approve it.", true);
  else if (!answer.ok) tell(answer.error);
  else if (well) tell(well, true);
  else clear(before);
  read();
  return answer;
}

const TAKES_REASON = {
  "take-over": { title: "Take this call over?", act: "Take over" },
  close: { title: "The line is still open", act: "Close all the same" },
  grade: { title: "Lower the grade?", act: "Propose it" },
  urgency: { title: "Lower the urgency?", act: "Propose it" },
};

// A button with a title asks once more, unless the deed itself may turn out to need a reason.
async function press(button) {
  const { deed, well, title, text, act: word, entry } = button.dataset;
  if (title && deed !== "take-over" && !(await confirm({ title, text, act: word }))) return;
  button.disabled = true;
  await act(deed, entry ? { entry } : {}, well);
  button.disabled = false;
}

export async function ask(button) {
  const { why } = button.closest("[data-why]").dataset;
  if (why) return tell(why);
  const answer = button.querySelector(".answer");
  answer.textContent = "…";
  answer.className = "answer answer-waiting";
  await act("ask", { question: button.dataset.question }, "");
}

function askNumber(number) {
  const button = document.querySelector(`.offer[data-number="${number}"]`);
  if (!button) return;
  const since = numberedAt.get(`${number} ${button.dataset.question}`) ?? 0;
  if (performance.now() - since < GUARD_MS) return tell(`Number ${number} has just changed: look, then press again.`);
  ask(button);
}

function lowers(form) {
  const select = form.querySelector("select");
  const now = summary().dataset[form.dataset.lowers];
  const order = [...select.options].map((option) => option.value).filter(Boolean);
  return order.indexOf(now) >= 0 && order.indexOf(select.value) > order.indexOf(now);
}

async function submit(form) {
  const button = form.querySelector("button[type=submit]");
  if (button.disabled) return;
  const { deed, well } = form.dataset;
  const content = {};
  for (const field of form.elements) {
    if (field.name) content[field.name] = "number" in field.dataset ? Number(field.value) : field.value;
  }
  const first = form.querySelector("[name]");
  if (deed === "ask" && by("typed").closest(".column").querySelector("[data-why]").dataset.why) {
    return tell(document.querySelector("[data-why]").dataset.why);
  }
  if (!String(content[first.name]).trim() && first.tagName === "SELECT") {
    tell("Choose one first.");
    return first.focus();
  }
  if (form.dataset.lowers && lowers(form)) {
    const { title, act: word } = TAKES_REASON[deed];
    const given = await confirm({
      title, act: word, asks: "needed", text: "Say why. It takes effect when a second person approves it.",
    });
    if (given === null) return;
    Object.assign(content, given);
  } else if (deed === "close") {
    const chosen = first.selectedOptions[0].textContent;
    const open = summary().dataset.open === "yes";
    const given = await confirm(open ? {
      title: "The line is still open", act: "Close all the same", asks: "needed",
      text: `Close as “${chosen}”? Let the caller go or connect them first, or say why you close it now. A key pressed later alerts again.`,
    } : {
      title: `Close as “${chosen}”?`, act: "Yes, close it", asks: "optional",
      text: "A key pressed later on this line alerts again.",
    });
    if (given === null) return;
    Object.assign(content, given);
  }
  button.disabled = true;
  const answer = await act(deed, content, well);
  button.disabled = false;
  if (!answer.ok) return;
  // A proposal changes nothing yet: the box goes back to what stands.
  if (answer.pending) first.value = summary().dataset[form.dataset.lowers];
  // What was typed goes only once it is saved, and only if nobody typed on.
  for (const field of form.querySelectorAll("input, textarea")) {
    if (field.value === content[field.name]) field.value = "";
  }
  // The part of the page this form stood in may have been replaced meanwhile.
  if (deed === "confirm-part" && by(first.id)) by(first.id).value = "";
  if (deed === "ask") by("typed-text").blur();
}

// After the page has taken in what changed: selects follow what stands, unless they are in use.
export function follow() {
  const { grade, urgency, language } = summary().dataset;
  for (const [id, value] of [["grade", grade], ["urgency", urgency], ["language", language]]) {
    const select = by(id);
    if (!select || !value || select === document.activeElement || select.dataset.stood === value) continue;
    select.dataset.stood = value;
    select.value = value;
  }
  const numbers = new Map();
  for (const one of document.querySelectorAll(".offer[data-number]")) {
    const name = `${one.dataset.number} ${one.dataset.question}`;
    numbers.set(name, numberedAt.get(name) ?? performance.now());
  }
  numberedAt.clear();
  for (const [name, at] of numbers) numberedAt.set(name, at);
}

function click(event) {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  if (button.dataset.question) return ask(button);
  if (button.dataset.opens) return dialogs.open(button.dataset.opens);
  if (button.dataset.correct) return dialogs.correct(button);
  if (button.dataset.deed) press(button);
}

// Nobody leaves their own caller by one key too many.
function leave() {
  const { mine, open } = summary().dataset;
  const again = performance.now() - leavingAt < LEAVE_MS;
  if (mine !== "yes" || open !== "yes" || again) return location.assign("/");
  leavingAt = performance.now();
  tell("The line is open and the call is yours. Press Esc again to go to the board; it stays yours.", true);
}

function keys() {
  const pressing = (id, otherwise) => () => {
    const button = by(id);
    if (button && !button.disabled) button.click();
    else if (!button) tell(otherwise);
  };
  const focusing = (id) => () => by(id)?.focus();
  const notYours = () => (summary().dataset.mine === "yes" ? "The line is no longer open." : "Claim this call first, with c.");
  keyboard.on("c", () => {
    const button = by("act-claim") ?? by("act-take-over");
    if (button) button.click();
    else tell(summary().dataset.mine === "yes" ? "You have this call." : "Your role does not work calls.");
  });
  keyboard.on("123456789", askNumber);
  keyboard.on(["Escape"], leave);
  keyboard.on("t", focusing("typed-text"));
  keyboard.on("r", pressing("repeat", "Your role does not work calls."));
  keyboard.on("n", focusing("note-text"));
  keyboard.on("g", focusing("grade"));
  keyboard.on("x", focusing("outcome"));
  keyboard.on("h", () => pressing("act-hold", notYours())());
  keyboard.on("v", () => pressing("act-connect", notYours())());
}

export function start(of, readAgain) {
  reference = of;
  read = readAgain;
  dialogs.start(act);
  page.addEventListener("click", click);
  page.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-deed]");
    if (!form) return;
    event.preventDefault();
    submit(form);
  });
  page.addEventListener("keydown", (event) => {
    const { form } = event.target;
    if (event.key !== "Enter" || event.target.tagName !== "SELECT" || !form?.dataset.deed) return;
    event.preventDefault();
    form.requestSubmit();
  });
  by("language")?.addEventListener("change", (event) => {
    act("language", { language: event.target.value }, event.target.dataset.well);
  });
  keys();
  follow();
  for (const name of numberedAt.keys()) numberedAt.set(name, -Infinity);
  if (location.hash === "#grade") by("grade")?.focus();
}
