// One connection for all pages of this browser. A browser opens six connections to
// one server; with one each, the seventh open page would hang, and hidden pages
// would be slowed. A shared worker is not.

import { Link } from "./link.js";

const ports = new Set();
const link = new Link((told) => {
  for (const port of ports) port.postMessage(told);
});

self.onconnect = (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data === "bye") ports.delete(port);
    if (data === "hello") {
      ports.add(port);
      link.nudge();
      port.postMessage(link.greeting());
    }
  };
  port.start();
};
