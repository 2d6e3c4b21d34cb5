// The words and figures a handler reads. The same rules stand in console/words.py.

export const URGENCIES = {
  1: { word: "NOW", shape: "square" },
  2: { word: "SOON", shape: "diamond" },
  3: { word: "WATCH", shape: "circle" },
  4: { word: "REVIEW", shape: "dash" },
};
export const CONNECTIONS = { open: "open line", dropped: "dropped", ended: "ended" };
const PURPOSES = { live: "", training: "TRAINING", proof: "PROOF" };

export function purpose(incident) {
  return PURPOSES[incident.purpose] ?? incident.purpose;
}

// `work` comes beside the incident: who is away, and who the caller is joined to.
export function away(incident) {
  return incident.state === "claimed" && Boolean(incident.work?.away);
}

export function bridged(incident) {
  return incident.connection === "open" ? incident.work?.bridged ?? "" : "";
}

export function the(label) {
  return ["control room", "duty desk"].includes(label) ? `the ${label}` : label;
}

export function state(incident) {
  if (incident.state === "claimed") {
    const who = incident.handler || "claimed";
    return away(incident) ? `${who}, away` : who;
  }
  if (bridged(incident)) return `with ${the(bridged(incident))}`;
  return { waiting: "", review: "for review", closed: "closed" }[incident.state] ?? "";
}

export function takes(incident) {
  if (incident.state === "claimed") return away(incident) ? "Take over" : "";
  return incident.state === "closed" || bridged(incident) ? "" : "Claim";
}

export function masked(incident) {
  const { number, withheld } = incident.caller;
  if (withheld) return "withheld";
  return number ? `…${number.slice(-4)}` : "no number";
}

export function keys(pressed) {
  return pressed ? [...pressed].join(" ") : "–";
}

export function waiting(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (figure) => String(figure).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  if (seconds < 86400) {
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  }
  return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
}

export function remaining(milliseconds) {
  return milliseconds < 0 ? `${waiting(-milliseconds)} over` : `${waiting(milliseconds)} left`;
}

export function ago(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  return seconds < 120 ? `${seconds} s ago` : `${waiting(milliseconds)} ago`;
}

// Urgency, calls before reviews, unclaimed (or the holder away) before claimed, then longest waiting.
export function order(one, other) {
  return (
    one.urgency - other.urgency ||
    (one.state === "review") - (other.state === "review") ||
    (Boolean(one.handler) && !away(one)) - (Boolean(other.handler) && !away(other)) ||
    (one.started_at < other.started_at ? -1 : one.started_at > other.started_at ? 1 : 0) ||
    (one.reference < other.reference ? -1 : 1)
  );
}
