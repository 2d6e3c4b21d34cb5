// The supervisor's page keeps up: it reads itself again when the board changes, and every
// few seconds for who is on duty. What is being typed stays.

import { feed } from "./feed.js";

const EVERY_MS = 5000;
const AT_MOST_EVERY_MS = 1000;
let waiting = null;
let readAt = -Infinity;

async function read() {
  clearTimeout(waiting);
  waiting = null;
  readAt = performance.now();
  try {
    const answer = await fetch("/supervisor", { headers: { "X-Requested-With": "fetch" }, cache: "no-store" });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-part-of]")) {
      const next = fresh.querySelector(`[data-part-of="${old.dataset.partOf}"]`);
      if (!next || next.outerHTML === old.outerHTML || old.contains(document.activeElement)) continue;
      old.replaceWith(next);
    }
  } catch {
    // The notice says that the connection is lost.
  }
}

feed.addEventListener("board", () => {
  waiting ??= setTimeout(read, Math.max(0, AT_MOST_EVERY_MS - (performance.now() - readAt)));
});
setInterval(read, EVERY_MS);
