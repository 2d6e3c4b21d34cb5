// Desktop notifications. They say what the board says and never a number.

import { keep, kept } from "./kept.js";

const button = document.getElementById("notify");
const possible = typeof Notification !== "undefined" && window.isSecureContext;

let on = kept("notify", true);

// Asking costs a call to the browser itself: once for a look, not once for each incident.
export function may() {
  return possible && on && Notification.permission === "granted";
}

function show() {
  const condition = !possible ? "impossible here"
    : Notification.permission === "denied" ? "refused by the browser"
    : may() ? "on" : "off";
  button.querySelector(".condition").textContent = condition;
  button.classList.toggle("off", !may());
  button.setAttribute("aria-pressed", String(may()));
}

export function notify(incident, word) {
  if (!may()) return false;
  const note = new Notification(`${word}: ${incident.reasons.join(" · ")}`, {
    body: `${incident.reference}${incident.purpose === "training" ? " (training)" : ""}`,
    tag: incident.reference,
    renotify: true,
    requireInteraction: incident.urgency === 1,
    silent: true,
  });
  note.onclick = () => {
    window.focus();
    location.assign(`/incidents/${incident.reference}`);
  };
  return true;
}

export function start() {
  button.addEventListener("click", async () => {
    if (!possible) return;
    if (Notification.permission === "default") {
      on = (await Notification.requestPermission()) === "granted";
    } else {
      on = !on;
    }
    keep("notify", on);
    show();
  });
  addEventListener("storage", (event) => {
    if (event.key !== "quietline.notify") return;
    on = kept("notify", true);
    show();
  });
  show();
}
