// A handler's deeds, sent to the JSON interface. Each deliberate press has a key of
// its own, so that sending it again after a broken connection does it once. A
// refusal is returned in the server's own words, and nothing typed is touched.

const AGAIN_AFTER_MS = 600;
const LOST = "This did not reach the console. Nothing was changed that we know of; try again.";

function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function token() {
  return document.querySelector("meta[name=csrf]");
}

// After another sign-in in this browser the page's token is no longer good.
async function renewToken() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("meta[name=csrf]");
  if (fresh) token().content = fresh.content;
  return Boolean(fresh);
}

function post(address, content, key) {
  return fetch(address, {
    method: "POST",
    cache: "no-store",
    headers: {
      "Content-Type": "application/json",
      "X-Requested-With": "fetch",
      "X-CSRFToken": token().content,
      "Idempotency-Key": key,
    },
    body: JSON.stringify(content),
  });
}

const later = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

// Gives { ok, status, pending, error, field, incident }.
export async function send(reference, deed, content = {}) {
  const address = `/api/v1/incidents/${reference}/${deed}`;
  const key = freshKey();
  for (const last of [false, true]) {
    try {
      let answer = await post(address, content, key);
      if (answer.status === 400 && (await renewToken())) answer = await post(address, content, key);
      const said = await answer.json().catch(() => ({}));
      const error = answer.ok ? "" : said.error ?? `The console refused this (${answer.status}).`;
      return {
        ok: answer.ok,
        status: answer.status,
        pending: answer.status === 202,
        error,
        field: said.field ?? (/^reason\b|[Ss]ay why/.test(error) ? "reason" : ""),
        incident: answer.ok ? said : null,
      };
    } catch {
      if (last) return { ok: false, status: 0, pending: false, error: LOST, field: "", incident: null };
      await later(AGAIN_AFTER_MS);
    }
  }
}
