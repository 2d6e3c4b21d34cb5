// One connection to /live and what it told so far. Runs in the shared worker, or
// in the page where there is none. It never gives up, and never tells a page
// something older after something newer.

const SILENT_AFTER_MS = 12000;
const WATCH_EVERY_MS = 1000;
// A frozen browser keeps its connection open: only what is awake sends these.
const PING_EVERY_MS = 5000;

export class Link {
  constructor(tell) {
    this.tell = tell;
    this.incidents = new Map();
    this.alarms = new Map();
    this.beyond = {};
    this.beat = null;
    this.place = null;
    this.complete = false;
    this.state = "connecting";
    this.source = null;
    this.heardAt = Date.now();
    this.again = null;
    this.told = new Map();
    this.works = new Map();
    this.duty = null;
    setInterval(() => this.watch(), WATCH_EVERY_MS);
    setInterval(() => this.ping(), PING_EVERY_MS);
    this.open();
  }

  // Everything a page that joins must know.
  greeting() {
    return {
      kind: "all",
      complete: this.complete,
      incidents: [...this.incidents.values()],
      beyond: this.beyond,
      alarms: [...this.alarms.values()],
      beat: this.beat,
      duty: this.duty,
      state: this.state,
      heardAt: this.heardAt,
    };
  }

  open() {
    clearTimeout(this.again);
    this.again = null;
    this.source?.close();
    const after = this.place ? `?after=${encodeURIComponent(this.place)}` : "";
    const source = new EventSource(`/live${after}`);
    this.source = source;
    this.told = new Map();
    this.openedAt = Date.now();
    const on = (name, act) =>
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        this.heardAt = Date.now();
        if (event.lastEventId) this.place = event.lastEventId;
        act(JSON.parse(event.data));
      });
    on("work", (work) => this.works.set(work.reference, work));
    on("proof", (proof) => this.hearProof(proof));
    on("incident", (incident) => this.hearIncident(incident));
    on("snapshot", (snapshot) => this.hearSnapshot(snapshot));
    on("alarm", (alarm) => this.hearAlarm(alarm));
    on("beat", (beat) => this.hearBeat(beat));
    source.onerror = () => source === this.source && this.lose();
  }

  // `work` comes just before its incident, and stays with it.
  hearIncident(incident) {
    incident.work = this.works.get(incident.reference) ?? null;
    this.works.delete(incident.reference);
    this.told.set(incident.reference, incident);
    if (incident.state === "closed") this.incidents.delete(incident.reference);
    else this.incidents.set(incident.reference, incident);
    this.tell({ kind: "incident", incident });
  }

  hearSnapshot(snapshot) {
    const listed = new Set(snapshot.references);
    for (const reference of this.incidents.keys()) {
      if (!listed.has(reference) && !this.told.has(reference)) this.incidents.delete(reference);
    }
    this.beyond = snapshot.beyond;
    this.complete = true;
    this.tell(this.greeting());
  }

  hearAlarm(alarm) {
    if (alarm.over) this.alarms.delete(alarm.id);
    else this.alarms.set(alarm.id, alarm);
    this.tell({ kind: "alarms", alarms: [...this.alarms.values()] });
  }

  hearBeat(beat) {
    this.beat = beat;
    const standing = new Set(beat.alarms);
    for (const id of this.alarms.keys()) if (!standing.has(id)) this.alarms.delete(id);
    this.change("live");
    this.tell({ kind: "beat", beat, alarms: [...this.alarms.values()], heardAt: this.heardAt });
  }

  hearProof(proof) {
    if (this.beat) this.beat.proved_at = proof.at;
    this.tell({ kind: "proof", proved: proof.at });
  }

  // With the first ping we are here, and may not be counted yet: nobody is then not told.
  async ping(first = false) {
    if (this.state !== "live") return;
    const headers = { "X-Requested-With": "fetch" };
    try {
      await fetch("/live/heard", { method: "POST", headers });
      const answer = await fetch("/on-duty", { headers, cache: "no-store" });
      const duty = answer.ok ? (await answer.json()).on_duty : null;
      if (first && !duty?.length) return;
      this.duty = duty;
      this.tell({ kind: "duty", duty: this.duty });
    } catch {
      // The feed itself says when the connection is lost.
    }
  }

  change(state) {
    if (this.state === state) return;
    this.state = state;
    this.tell({ kind: "state", state, heardAt: this.heardAt });
    if (state === "live") this.ping(true);
  }

  lose() {
    this.change(this.state === "signed-out" ? "signed-out" : "lost");
    // A browser tries again by itself after a cut, and sends Last-Event-ID; after
    // an answer other than 200 it gives up, and we must not.
    if (this.source.readyState === EventSource.CLOSED) this.tryLater();
  }

  tryLater() {
    if (this.again !== null) return;
    this.again = setTimeout(() => this.tryAgain(), 800 + Math.random() * 1200);
  }

  async tryAgain() {
    this.again = null;
    const stop = new AbortController();
    try {
      const answer = await fetch("/live", { signal: stop.signal, cache: "no-store" });
      if (answer.ok) {
        this.open();
      } else {
        this.change(answer.status === 401 ? "signed-out" : "lost");
        this.tryLater();
      }
    } catch {
      this.change("lost");
      this.tryLater();
    } finally {
      stop.abort();
    }
  }

  // A half-open connection says nothing at all: the other side beats every 5 s.
  watch() {
    if (this.again !== null || Date.now() - this.heardAt < SILENT_AFTER_MS) return;
    if (Date.now() - this.openedAt < SILENT_AFTER_MS / 2) return;
    this.change(this.state === "signed-out" ? "signed-out" : "lost");
    this.open();
  }

  nudge() {
    if (this.state === "live") return;
    if (this.again !== null || this.state === "signed-out") this.tryAgain();
  }
}
