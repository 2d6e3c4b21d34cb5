// Two keys decide on a call in review: its letter, then Enter or the letter again.
// No key does anything while somebody types.

import { feed } from "./feed.js";
import { on } from "./keyboard.js";

const form = document.getElementById("decide");
const act = document.getElementById("decide-now");
const shown = document.querySelector(".looked-at")?.dataset.reference;
let chosen = null;

function choose(choice) {
  // Again: that is the second key. A letter leant on is one key (keyboard.js sees to it).
  if (chosen === choice) return form.requestSubmit(act);
  chosen = choice;
  choice.checked = true;
  tell();
  // Enter decides now, and a screen reader reads what.
  act.focus();
}

function tell() {
  const name = chosen?.closest(".decision").querySelector(".name").textContent;
  act.textContent = name ? `Decide: ${name}` : "Decide";
}

function clear() {
  if (!chosen) return location.assign("/");
  chosen.checked = false;
  chosen = null;
  act.blur();
  tell();
}

if (form) {
  for (const choice of form.querySelectorAll("[data-key]")) {
    on([choice.dataset.key], () => choose(choice));
    choice.addEventListener("change", () => {
      chosen = choice;
      tell();
    });
  }
  on(["Escape"], clear);
  // Twice pressed is sent once: the second would only be told that the first decided.
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sent);
}

feed.addEventListener("board", ({ detail }) => {
  const told = document.getElementById("left");
  if (!told || detail?.reference !== shown || form?.dataset.sent) return;
  told.hidden = detail.state === "review";
});
