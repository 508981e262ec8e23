// Opens reports in a headless Chromium and looks whether they work there: no message on the console, no request, nothing wider
// than the screen, names for all that is read out, tables that sort and filter by keyboard, and paper that shows everything. Owns
// the checks in a browser; must never need anything but node (20 or later, without packages) and a Chromium.
//
//   node scripts/check-report.mjs report.html…
//   node scripts/check-report.mjs --shots DIR report.html…   # also screenshots, and the page on paper as PDF
//
// CHROMIUM names the browser. Without one it says so and passes; with CHROMIUM=required it fails instead.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const VIEWS = [
  { name: "desktop", width: 1280, height: 900, scheme: "light" },
  { name: "desktop-dark", width: 1280, height: 900, scheme: "dark" },
  { name: "phone", width: 360, height: 740, scheme: "light" },
  { name: "phone-dark", width: 360, height: 740, scheme: "dark" },
];

const faults = [];

function check(ok, what) {
  if (!ok) {
    faults.push(what);
    console.error(`  FAULT ${what}`);
  }
}

// ----- the browser -----

function browserPath() {
  const named = process.env.CHROMIUM;
  const names = named && named !== "required" ? [named] : ["chromium", "chromium-browser", "google-chrome"];
  return names.find((name) => spawnSync(name, ["--version"]).status === 0);
}

/** Starts a browser; resolves to its DevTools address. */
function start(path, profile) {
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
  const browser = spawn(path, [...flags, `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const address = new Promise((found, failed) => {
    let said = "";
    const timer = setTimeout(() => failed(new Error(`the browser did not start:\n${said}`)), 60_000);
    browser.stderr.on("data", (data) => {
      said += data;
      const match = said.match(/DevTools listening on (ws:\S+)/);
      if (match) {
        clearTimeout(timer);
        found(match[1]);
      }
    });
    browser.on("exit", () => failed(new Error(`the browser ended:\n${said}`)));
  });
  return { browser, address };
}

/** A DevTools connection: `send(method, params, session)` and listeners for events. (Node 20 has no WebSocket of its own
 *  unless told; the little of it that is needed here is in `socket`.) */
async function connect(address) {
  const waiting = new Map();
  const listeners = [];
  let last = 0;
  const channel = await socket(address, (text) => {
    const message = JSON.parse(text);
    if (message.id === undefined) {
      listeners.forEach((listener) => listener(message));
      return;
    }
    const { done, failed } = waiting.get(message.id);
    waiting.delete(message.id);
    message.error ? failed(new Error(message.error.message)) : done(message.result);
  });
  return {
    listen: (listener) => listeners.push(listener),
    send: (method, params = {}, sessionId = undefined) =>
      new Promise((done, failed) => {
        last += 1;
        waiting.set(last, { done, failed });
        channel.send(JSON.stringify({ id: last, method, params, sessionId }));
      }),
    close: () => channel.close(),
  };
}

/** A client of RFC 6455 that speaks text to a server it trusts. */
async function socket(address, onText) {
  const { connect: dial } = await import("node:net");
  const { randomBytes } = await import("node:crypto");
  const { hostname, port, pathname } = new URL(address);
  const stream = dial(Number(port), hostname);
  await new Promise((done, failed) => stream.once("connect", done).once("error", failed));
  const key = randomBytes(16).toString("base64");
  stream.write(
    `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  let bytes = Buffer.alloc(0);
  let parts = [];
  let upgraded;
  const ready = new Promise((done) => (upgraded = done));
  let open = false;
  stream.on("data", (data) => {
    bytes = Buffer.concat([bytes, data]);
    if (!open) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      bytes = bytes.subarray(end + 4);
      open = true;
      upgraded();
    }
    for (;;) {
      if (bytes.length < 2) return;
      let length = bytes[1] & 0x7f;
      let head = 2;
      if (length === 126) {
        if (bytes.length < 4) return;
        length = bytes.readUInt16BE(2);
        head = 4;
      } else if (length === 127) {
        if (bytes.length < 10) return;
        length = Number(bytes.readBigUInt64BE(2));
        head = 10;
      }
      if (bytes.length < head + length) return;
      const last = bytes[0] & 0x80;
      const kind = bytes[0] & 0x0f;
      if (kind <= 2) parts.push(bytes.subarray(head, head + length));
      bytes = bytes.subarray(head + length);
      if (kind <= 2 && last) {
        const text = Buffer.concat(parts).toString("utf8");
        parts = [];
        onText(text);
      }
    }
  });
  await ready;
  return {
    send(text) {
      const body = Buffer.from(text, "utf8");
      const head =
        body.length < 126
          ? Buffer.from([0x81, 0x80 | body.length])
          : Buffer.from([0x81, 0xfe, body.length >> 8, body.length & 0xff]);
      if (body.length > 0xffff) throw new Error("a message is too long");
      const mask = randomBytes(4);
      const masked = Buffer.from(body.map((byte, nth) => byte ^ mask[nth % 4]));
      stream.write(Buffer.concat([head, mask, masked]));
    },
    close: () => stream.destroy(),
  };
}

/** A page in a tab of its own. */
async function openPage(devtools, file, { script = true } = {}) {
  const { targetId } = await devtools.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await devtools.send("Target.attachToTarget", { targetId, flatten: true });
  const requests = [];
  const messages = [];
  let loaded;
  const isLoaded = new Promise((done) => (loaded = done));
  devtools.listen((event) => {
    if (event.sessionId !== sessionId) return;
    const { method, params } = event;
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
    if (method === "Runtime.consoleAPICalled") messages.push(params.args.map((arg) => arg.value).join(" "));
    if (method === "Runtime.exceptionThrown") messages.push(params.exceptionDetails.text);
    if (method === "Log.entryAdded") messages.push(params.entry.text);
    if (method === "Page.javascriptDialogOpening") messages.push(`a dialog: ${params.message}`);
    if (method === "Page.loadEventFired") loaded();
  });
  const send = (method, params) => devtools.send(method, params, sessionId);
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await send(`${domain}.enable`);
  await send("Emulation.setScriptExecutionDisabled", { value: !script });
  const url = pathToFileURL(resolve(file)).href;
  await send("Page.navigate", { url });
  await isLoaded;
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(`${exceptionDetails.text}: ${exceptionDetails.exception?.description}`);
    return result.value;
  };
  const view = ({ width, height, scheme }) =>
    Promise.all([
      send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 2, mobile: width < 600 }),
      send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] }),
    ]);
  const key = async (name, text) => {
    const codes = { Tab: 9, Enter: 13, Escape: 27, " ": 32 };
    const common = { key: name, code: name === " " ? "Space" : name, windowsVirtualKeyCode: codes[name] };
    await send("Input.dispatchKeyEvent", { type: "keyDown", text, ...common });
    await send("Input.dispatchKeyEvent", { type: "keyUp", ...common });
  };
  const close = () => devtools.send("Target.closeTarget", { targetId });
  return { send, evaluate, view, key, close, url, requests, messages };
}

// ----- what is looked at -----

/** Text and background of everything that shows text, as [ratio, text]; WCAG 2.2's contrast of relative luminances. */
const CONTRASTS = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, nth) => sum + part * [0.2126, 0.7152, 0.0722][nth], 0);
  const paper = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const data = rgb(getComputedStyle(at).backgroundColor);
      if (data[3] === 255) return data;
    }
    return rgb("white");
  };
  const seen = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("title, desc, script") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const ink = element.closest("svg") ? style.fill : style.color;
    const [a, b] = [luminance(rgb(ink)), luminance(paper(element.closest("svg") ? element.closest("figure") : element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const kind = ink + element.className;
    if (!seen.has(kind)) seen.set(kind, [ratio, walker.currentNode.data.trim().slice(0, 40)]);
  }
  return [...seen.values()].filter(([ratio]) => ratio < 4.5);
})()`;

/** What lacks a name, has an id twice, or refers to an id that is not there. */
const NAMES = `(() => {
  const faults = [];
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("id twice: " + id);
  for (const attribute of ["aria-labelledby", "aria-controls"])
    for (const element of document.querySelectorAll("[" + attribute + "]"))
      for (const id of element.getAttribute(attribute).split(" "))
        if (!document.getElementById(id)?.textContent.trim()) faults.push(attribute + " leads nowhere: " + id);
  for (const link of document.querySelectorAll("a"))
    if (!document.getElementById(link.getAttribute("href").slice(1))) faults.push("a link leads nowhere: " + link.href);
  for (const svg of document.querySelectorAll("svg:not([aria-hidden])"))
    if (!(svg.getAttribute("role") === "img" && svg.querySelector("title") && svg.querySelector("desc")))
      faults.push("an SVG without name");
  for (const table of document.querySelectorAll("table"))
    if (!table.caption?.textContent) faults.push("a table without caption");
  if (!document.documentElement.lang || !document.title) faults.push("no language or title");
  return faults;
})()`;

/** Texts of a chart that lie on each other or stick out of it. */
const OVERLAPS = `(() => {
  const faults = [];
  for (const svg of document.querySelectorAll("svg[role=img]")) {
    const outer = svg.getBoundingClientRect();
    const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    boxes.forEach(([name, box], nth) => {
      if (box.left < outer.left - 2 || box.right > outer.right + 2) faults.push(svg.id + " cuts " + name);
      for (const [other, that] of boxes.slice(nth + 1))
        if (box.left < that.right - 1 && that.left < box.right - 1 && box.top < that.bottom - 2 && that.top < box.bottom - 2)
          faults.push(name + " lies on " + other);
    });
  }
  return faults;
})()`;

async function looks(page, label, shots) {
  for (const view of VIEWS) {
    await page.view(view);
    const at = `${label}, ${view.name}`;
    const wide = await page.evaluate("document.documentElement.scrollWidth");
    check(wide <= view.width, `${at}: the page is ${wide} px wide on ${view.width}`);
    for (const [ratio, text] of await page.evaluate(CONTRASTS))
      check(false, `${at}: contrast ${ratio.toFixed(2)} of "${text}"`);
    for (const fault of await page.evaluate(OVERLAPS)) check(false, `${at}: ${fault}`);
    if (!shots) continue;
    const height = await page.evaluate("document.documentElement.scrollHeight");
    const clip = { x: 0, y: 0, width: view.width, height: Math.min(height, 8_000), scale: 1 };
    const { data } = await page.send("Page.captureScreenshot", { captureBeyondViewport: true, clip });
    writeFileSync(join(shots, `${label}-${view.name}.png`), Buffer.from(data, "base64"));
  }
  await page.view(VIEWS[0]);
}

/** The first thing that Tab reaches jumps to the figures; everything that takes the focus shows that it has it. */
async function keyboard(page, label) {
  await page.key("Tab");
  const first = await page.evaluate("document.activeElement.getAttribute('href')");
  check(first === "#main", `${label}: the first thing reached by Tab is ${first}`);
  await page.key("Enter", "\r");
  check((await page.evaluate("document.activeElement.id")) === "main", `${label}: skipping does not lead to the figures`);
  let reached = 0;
  for (let nth = 0; nth < 40; nth += 1) {
    await page.key("Tab");
    const [name, outline] = await page.evaluate(
      "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]",
    );
    if (name === "BODY") break;
    reached += 1;
    check(outline !== "none", `${label}: focus is not seen on ${name} ${nth}`);
  }
  check(reached > 3, `${label}: only ${reached} things are reached by Tab`);
  await page.evaluate("document.querySelector('summary')?.focus()");
  if (await page.evaluate("document.activeElement.tagName === 'SUMMARY'")) {
    await page.key("Enter", "\r");
    check(await page.evaluate("document.activeElement.parentElement.open"), `${label}: details do not open by keyboard`);
    await page.key("Enter", "\r");
  }
}

async function sorting(page, label) {
  const tables = await page.evaluate("[...document.querySelectorAll('table[data-filter]')].map((table) => table.id)");
  for (const id of tables) {
    const heads = await page.evaluate(`document.querySelectorAll('#${id} thead th[data-sort]').length`);
    const buttons = await page.evaluate(`document.querySelectorAll('#${id} thead th[data-sort] > button').length`);
    check(heads === buttons && heads > 0, `${label}: ${buttons} of ${heads} columns of ${id} have a button`);
    for (let nth = 0; nth < heads; nth += 1) await sortedBy(page, `${label}: ${id}`, id, nth);
    await filtered(page, `${label}: ${id}`, id);
  }
}

async function sortedBy(page, label, id, nth) {
  const th = `document.querySelectorAll('#${id} thead th[data-sort]')[${nth}]`;
  const column = `[...document.querySelector('#${id}').tBodies[0].rows].map((row) => row.cells[${nth}].textContent)`;
  const numeric = (await page.evaluate(`${th}.dataset.sort`)) === "number";
  const before = (await page.evaluate(column)).sort();
  await page.evaluate(`${th}.firstChild.focus()`);
  for (const [name, text, order] of [
    ["Enter", "\r", numeric ? "descending" : "ascending"],
    [" ", " ", numeric ? "ascending" : "descending"],
  ]) {
    await page.key(name, text);
    check((await page.evaluate(`${th}.getAttribute('aria-sort')`)) === order, `${label}, column ${nth}: is not ${order}`);
    const after = await page.evaluate(column);
    if (numeric) {
      const values = after.map((cell) => parseFloat(cell.replace(/[,±+]/g, "").replace("−", "-"))).filter((n) => !isNaN(n));
      const right = values.every((n, at) => at === 0 || (order === "ascending" ? values[at - 1] <= n : values[at - 1] >= n));
      check(right, `${label}, column ${nth}: is not sorted ${order}`);
    } else {
      const sorted = [...after].sort(new Intl.Collator("en", { numeric: true }).compare);
      if (order === "descending") sorted.reverse();
      check(JSON.stringify(after) === JSON.stringify(sorted), `${label}, column ${nth}: is not sorted ${order}`);
    }
    check(JSON.stringify([...after].sort()) === JSON.stringify(before), `${label}, column ${nth}: sorting changes cells`);
  }
  const sorted = await page.evaluate(`document.querySelectorAll('#${id} th[aria-sort]').length`);
  check(sorted === 1, `${label}: ${sorted} columns say that the table is sorted by them`);
}

async function filtered(page, label, id) {
  const form = `document.querySelector('#${id}').parentElement.previousElementSibling`;
  const shown = `[...document.querySelector('#${id}').tBodies[0].rows].filter((row) => row.offsetParent).length`;
  const all = await page.evaluate(shown);
  const word = await page.evaluate(`document.querySelector('#${id}').tBodies[0].rows[0].textContent.trim().slice(0, 3)`);
  await page.evaluate(`${form}.querySelector('input').focus()`);
  await page.send("Input.insertText", { text: word.toUpperCase() });
  const some = await page.evaluate(shown);
  const count = () => page.evaluate(`${form}.querySelector('output').textContent`);
  check(some > 0 && (await count()).startsWith(`${some.toLocaleString("en")} of `), `${label}: filter says "${await count()}"`);
  await page.send("Input.insertText", { text: "no such thing" });
  check((await page.evaluate(shown)) === 0, `${label}: what does not match is shown`);
  await page.key("Enter", "\r");
  await page.key("Escape");
  check((await page.evaluate(shown)) === all, `${label}: Escape does not show everything again`);
}

async function paper(page, label, shots) {
  const { data } = await page.send("Page.printToPDF", { printBackground: true, preferCSSPageSize: true });
  const pdf = Buffer.from(data, "base64");
  check(pdf.length > 10_000, `${label}: the page on paper is empty`);
  if (shots) writeFileSync(join(shots, `${label}.pdf`), pdf);
  await page.send("Emulation.setEmulatedMedia", { media: "print" });
  for (const what of ["nav", "form", ".skip"]) {
    const seen = await page.evaluate(`[...document.querySelectorAll('${what}')].some((element) => element.checkVisibility())`);
    check(!seen, `${label}: ${what} is printed`);
  }
  const light = await page.evaluate("getComputedStyle(document.body).backgroundColor");
  check(light === "rgb(255, 255, 255)", `${label}: the paper is ${light}`);
  await page.send("Emulation.setEmulatedMedia", { media: "" });
}

/** Without scripts everything is there, and no button that does nothing. */
async function still(devtools, file, label) {
  const page = await openPage(devtools, file, { script: false });
  const { root } = await page.send("DOM.getDocument", { depth: 0 });
  const count = async (selector) =>
    (await page.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector })).nodeIds.length;
  check((await count("table")) > 1 && (await count("tbody tr")) > 3, `${label}: without scripts tables are missing`);
  check((await count("button, input, form")) === 0, `${label}: without scripts there are controls that do nothing`);
  await page.close();
}

async function checkFile(devtools, file, shots) {
  const label = basename(file, ".html");
  console.log(`${file}`);
  const page = await openPage(devtools, file);
  for (const fault of await page.evaluate(NAMES)) check(false, `${label}: ${fault}`);
  await looks(page, label, shots);
  await keyboard(page, label);
  await sorting(page, label);
  await paper(page, label, shots);
  for (const message of page.messages) check(false, `${label}: the console says "${message}"`);
  const others = page.requests.filter((url) => url.split("#")[0] !== page.url && !url.startsWith("data:"));
  for (const url of others) check(false, `${label}: requests ${url}`);
  await page.close();
  await still(devtools, file, label);
}

// ----- the command -----

async function main() {
  const args = process.argv.slice(2);
  let shots;
  if (args[0] === "--shots") {
    shots = args[1];
    args.splice(0, 2);
    mkdirSync(shots, { recursive: true });
  }
  if (args.length === 0) {
    console.error("usage: node scripts/check-report.mjs [--shots DIR] report.html…");
    process.exit(2);
  }
  const path = browserPath();
  if (!path) {
    console.error("THE REPORT WAS NOT CHECKED IN A BROWSER: THERE IS NO CHROMIUM (apt-get install chromium)");
    process.exit(process.env.CHROMIUM === "required" ? 1 : 0);
  }
  const profile = mkdtempSync(join(tmpdir(), "faassim-report-"));
  const { browser, address } = start(path, profile);
  const ended = new Promise((done) => browser.on("exit", done));
  try {
    const devtools = await connect(await address);
    for (const file of args) await checkFile(devtools, file, shots);
    await devtools.send("Browser.close");
    devtools.close();
  } finally {
    const timer = setTimeout(() => browser.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  if (faults.length > 0) {
    console.error(`${faults.length} faults`);
    process.exit(1);
  }
  console.log("no faults");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
