// The numbers beside the names of pages keep up on a page that stays open. What has
// become late meanwhile is said once.

const EVERY_MS = 60000;
const FETCH = { headers: { "X-Requested-With": "fetch" }, cache: "no-store" };
const places = document.querySelectorAll("[data-badge]");
let late = null;

function show(badges) {
  for (const place of places) {
    const one = badges[place.dataset.badge];
    place.hidden = !one;
    place.classList.toggle("badge-late", Boolean(one?.late));
    place.querySelector("b").textContent = one ? one.count : "";
    place.querySelector(".sr").textContent = one ? ` ${one.words}` : "";
  }
  const mine = badges["/my-day"];
  const is = mine?.late ? mine.words : "";
  if (late !== null && is && is !== late) document.getElementById("say").textContent = `My day: ${mine.count} ${is}.`;
  late = is;
}

async function read() {
  try {
    const answer = await fetch("/reminders", FETCH);
    if (answer.ok) show(await answer.json());
  } catch {
    // The notice says that the connection is lost; the numbers stay as they were.
  }
}

export function start() {
  if (!places.length) return;
  setInterval(read, EVERY_MS);
  addEventListener("visibilitychange", () => document.hidden || read());
}
