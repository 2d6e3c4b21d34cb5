// Rule 10: a claimed call that drops is put in front of its handler at once, on
// whatever page they are, until it is graded again.

import { feed } from "./feed.js";
import { clock, tick } from "./time.js";

const banner = document.getElementById("regrade");
const me = document.querySelector(".who").textContent;

function mine() {
  return [...feed.incidents.values()]
    .filter((one) => one.handler === me && one.work?.regrade_by)
    .sort((one, other) => (one.work.regrade_by < other.work.regrade_by ? -1 : 1));
}

function show() {
  const [first, ...more] = mine();
  banner.hidden = !first;
  if (!first) {
    delete banner.dataset.reference;
    return;
  }
  if (banner.dataset.reference !== first.reference) {
    document.getElementById("say-now").textContent = `Your call ${first.reference} dropped. Grade it again.`;
  }
  banner.dataset.reference = first.reference;
  banner.querySelector(".text").textContent =
    `${first.reference}: the line dropped at ${clock(first.ended_at)}.` +
    (more.length ? ` And ${more.length} more.` : "");
  const left = banner.querySelector("time");
  left.dataset.until = first.work.regrade_by;
  left.dateTime = first.work.regrade_by;
  tick(left);
  banner.querySelector("a").href = `/incidents/${first.reference}#grade`;
}

export function start() {
  feed.addEventListener("board", show);
  banner.querySelector("a").addEventListener("click", (event) => {
    const grade = document.getElementById("grade");
    if (!grade || document.getElementById("incident")?.dataset.reference !== banner.dataset.reference) return;
    event.preventDefault();
    grade.focus();
  });
  show();
}
