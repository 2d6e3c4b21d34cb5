// Every page of a signed-in handler: the feed, the strip, the notices, theme and keys.

import * as alerts from "./alerts.js";
import { feed } from "./feed.js";
import * as keyboard from "./keyboard.js";
import * as more from "./more.js";
import * as regrade from "./regrade.js";
import * as reminders from "./reminders.js";
import * as theme from "./theme.js";
import { clock } from "./time.js";
import * as toldCalls from "./told-calls.js";

const lost = document.getElementById("lost");
const signedOut = document.getElementById("signed-out");
const lostFor = document.getElementById("lost-for");
const sayNow = document.getElementById("say-now");
const link = document.getElementById("link");
const GRACE_MS = 1500;
const CONDITIONS = { live: "live", connecting: "connecting", lost: "lost", "signed-out": "signed out" };
let notLiveSince = Date.now();

function mark(part, well, word) {
  part.classList.toggle("trouble", !well);
  part.querySelector("use").setAttribute("href", well ? "#shape-ok" : "#shape-trouble");
  part.querySelector(".condition").textContent = word;
}

function showState() {
  if (feed.state === "live") notLiveSince = null;
  else notLiveSince ??= Date.now();
  const gone = notLiveSince !== null && Date.now() - notLiveSince > GRACE_MS;
  const showLost = gone && feed.state !== "signed-out";
  // Said once; the seconds that follow are only for the eye.
  if (showLost && lost.hidden) sayNow.textContent = "Connection lost. New alerts do not reach this screen.";
  lost.hidden = !showLost;
  signedOut.hidden = feed.state !== "signed-out";
  alerts.cannotHear(signedOut.hidden ? (showLost ? "CONNECTION LOST" : "") : "SIGNED OUT");
  lostFor.textContent = `${Math.max(0, Math.round((Date.now() - feed.heardAt) / 1000))} s`;
  mark(link, feed.state === "live" || !gone, CONDITIONS[feed.state]);
  // Live is said once the whole board is here, not when the line to it is.
  const whole = feed.state !== "live" || feed.complete;
  document.documentElement.dataset.link = whole ? feed.state : "connecting";
}

function showParts() {
  if (!feed.status) return;
  for (const part of document.querySelectorAll("[data-part]")) {
    const well = feed.status[part.dataset.part];
    mark(part, well, well ? "ok" : part.dataset.ill);
  }
  const duty = document.getElementById("duty");
  duty.querySelector("b").textContent = feed.duty === null ? "–" : String(feed.duty.length);
  duty.title = feed.duty === null ? "" : feed.duty.join(", ");
  duty.classList.toggle("trouble", feed.duty?.length === 0);
  if (!feed.provedAt) return;
  const way = document.getElementById("way");
  way.querySelector(".never").hidden = true;
  way.querySelector(".proved").hidden = false;
  way.querySelector("time").dataset.ago = feed.provedAt;
}

function showAlarms() {
  if (!feed.status) return;
  const place = document.getElementById("alarms");
  const shown = new Map([...place.children].map((one) => [one.dataset.alarm, one]));
  for (const alarm of feed.alarms) {
    let one = shown.get(alarm.id);
    shown.delete(alarm.id);
    if (!one) {
      one = document.getElementById("alarm-template").content.firstElementChild.cloneNode(true);
      one.dataset.alarm = alarm.id;
      place.append(one);
    }
    one.querySelector(".text").textContent = alarm.text;
    one.querySelector(".since").textContent = `(since ${clock(alarm.since)})`;
  }
  for (const one of shown.values()) one.remove();
  // Where they scroll they can be scrolled by keyboard.
  if (place.scrollHeight > place.clientHeight) place.tabIndex = 0;
  else place.removeAttribute("tabindex");
}

feed.addEventListener("state", () => {
  showState();
  showParts();
  showAlarms();
});
setInterval(showState, 500);
alerts.start();
theme.start();
keyboard.start();
regrade.start();
toldCalls.start();
more.start();
reminders.start();
feed.start();
