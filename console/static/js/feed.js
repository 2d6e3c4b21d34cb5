// The page's end of the live feed: what is on the board, and whether we still hear.

import { heard } from "./time.js";
import { Link } from "./link.js";

const WORKER_SILENT_MS = 20000;

class Feed extends EventTarget {
  incidents = new Map();
  beyond = {};
  complete = false;
  alarms = [];
  status = null;
  provedAt = null;
  duty = null;
  state = "connecting";
  heardAt = Date.now();
  #lastWord = Date.now();
  #own = null;
  #port = null;

  start() {
    if (typeof SharedWorker === "undefined") return this.#listenHere();
    try {
      const worker = new SharedWorker(new URL("./feed-worker.js", import.meta.url), {
        type: "module",
        name: "quietline-feed",
      });
      worker.onerror = () => this.#listenHere();
      this.#port = worker.port;
      this.#port.onmessage = ({ data }) => this.#take(data);
      this.#port.postMessage("hello");
    } catch {
      return this.#listenHere();
    }
    addEventListener("pagehide", () => this.#port?.postMessage("bye"));
    addEventListener("pageshow", (event) => event.persisted && this.#port?.postMessage("hello"));
    setInterval(() => {
      const quiet = Date.now() - this.#lastWord > WORKER_SILENT_MS;
      if (quiet && this.state === "live") this.#listenHere();
    }, 2000);
  }

  #listenHere() {
    if (this.#own) return;
    if (this.#port) this.#port.onmessage = null;
    this.#own = new Link((told) => this.#take(told));
  }

  #take(told) {
    this.#lastWord = Date.now();
    if (told.heardAt) this.heardAt = told.heardAt;
    if (told.state) this.state = told.state;
    if (told.proved) this.provedAt = told.proved;
    if (told.duty !== undefined) this.duty = told.duty;
    if (told.alarms) this.alarms = told.alarms;
    if (told.beat) {
      if (Date.now() - this.heardAt < 1000) heard(told.beat.at);
      this.status = told.beat.status;
      this.provedAt = told.beat.proved_at ?? this.provedAt;
    }
    if (told.kind === "all" && told.complete) {
      this.incidents = new Map(told.incidents.map((one) => [one.reference, one]));
      this.beyond = told.beyond;
      this.complete = true;
      this.#say("board", null);
    } else if (told.kind === "incident") {
      const { incident } = told;
      this.heardAt = Date.now();
      if (incident.state === "closed") this.incidents.delete(incident.reference);
      else this.incidents.set(incident.reference, incident);
      this.#say("board", incident);
    }
    this.#say("state", null);
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

export const feed = new Feed();
