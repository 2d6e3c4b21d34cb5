// How a moment of the call and a request look. Everything is text: nothing a caller sends is markup.

const DOES = new Set(["pressed", "spoke", "silence"]);
const SHOWN = new Set(["heard", "sound", "error", "pressed", "lost", "spoke", "dialled", "bridged", "unbridged", "room", "voice", "order", "fault", "ended", "answered", "rings"]);

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (className) made.className = className;
  return made;
}

// One line of captions, or null for what only an engineer wants to know.
export function caption(told) {
  if (!SHOWN.has(told.kind)) return null;
  const heard = told.say !== undefined && told.kind !== "whispered";
  const row = element("li", "", heard ? "heard" : DOES.has(told.kind) ? "does" : told.kind === "lost" || told.kind === "fault" ? told.kind : "other");
  const minutes = Math.floor(told.at / 60);
  row.append(element("time", `${minutes}:${String(Math.floor(told.at % 60)).padStart(2, "0")}`));
  const text = element("span");
  if (heard) {
    if (told.language) text.lang = told.language;
    text.append(element("b", `“${told.say}”`));
  } else if (told.kind === "pressed") {
    text.append("presses ", element("b", told.key));
  } else {
    text.textContent = told.text;
  }
  row.append(text);
  return row;
}

// One signed request and the TwiML that came back.
export function exchange(told) {
  const row = element("li");
  const good = told.status !== null && told.status < 300;
  const head = element("div");
  head.append(
    element("span", told.status === null ? "no answer" : String(told.status), good ? "status" : "status bad"),
    ` in ${told.milliseconds} ms  `,
    element("code", `POST ${told.url}`),
  );
  const details = element("dl");
  const add = (name, value) => details.append(element("dt", name), element("dd", value));
  add("X-Twilio-Signature", told.signature);
  const form = new Map(told.form);
  for (const name of ["CallStatus", "Digits", "SpeechResult", "ErrorCode", "DialCallStatus", "From", "CallSid", "SequenceNumber"]) {
    if (form.has(name)) add(name, form.get(name));
  }
  row.append(head, details);
  if (told.failure) row.append(element("p", told.failure, "bad"));
  if (told.answer) row.append(element("pre", indented(told.answer)));
  return row;
}

function indented(xml) {
  let depth = 0;
  return xml.replace(/>\s*</g, ">\n<").split("\n").map((line) => {
    if (/^<\//.test(line)) depth -= 1;
    const shown = "  ".repeat(Math.max(0, depth)) + line;
    if (/^<[A-Za-z][^>]*[^/]>$/.test(line)) depth += 1;
    return shown;
  }).join("\n");
}
