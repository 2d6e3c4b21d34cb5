// Rule 9: no caller is refused, so a flood from one number is grouped on the screen.
// Its newest and most urgent call always shows; the others fold behind a row that
// counts them and opens. A call that somebody has keeps its own place.

import { URGENCIES, masked } from "./words.js";

export const FLOOD = 5;

function grouped(sorted) {
  const groups = new Map();
  for (const one of sorted) {
    const { number } = one.caller;
    if (!number || one.handler) continue;
    if (!groups.has(number)) groups.set(number, []);
    groups.get(number).push(one);
  }
  return groups;
}

function leads(one, other) {
  if (one.urgency !== other.urgency) return one.urgency < other.urgency;
  if ((one.state === "review") !== (other.state === "review")) return other.state === "review";
  return one.started_at > other.started_at;
}

function counted(members) {
  const parts = [1, 2, 3, 4].map((rank) => [members.filter((one) => one.urgency === rank).length, rank]);
  return parts.filter(([count]) => count).map(([count, rank]) => `${count} ${URGENCIES[rank].word}`).join(", ");
}

// Takes incidents in their order. Gives the order with floods together, which of them
// are folded away, and for each flood the words of its row, by the call it stands after.
export function floods(sorted, opened) {
  const order = [];
  const folded = new Set();
  const heads = new Map();
  const done = new Set();
  const groups = grouped(sorted);
  for (const one of sorted) {
    const members = one.handler ? undefined : groups.get(one.caller.number);
    if (!members || members.length < FLOOD) {
      order.push(one);
    } else if (!done.has(one.caller.number)) {
      done.add(one.caller.number);
      const lead = members.reduce((best, other) => (leads(other, best) ? other : best));
      const others = members.filter((other) => other !== lead);
      const open = opened.has(one.caller.number);
      order.push(lead, ...others);
      if (!open) for (const other of others) folded.add(other.reference);
      heads.set(lead.reference, {
        number: one.caller.number,
        open,
        text: `${open ? "Fold" : "Show"} ${others.length} more calls from ${masked(lead)}: ${counted(others)}`,
      });
    }
  }
  return { order, folded, heads };
}
