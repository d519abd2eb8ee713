// How a business system checks a callback of the platform (§7.3): see docs/callbacks.md. Node 18 or later, no packages.
"use strict";

const { createHmac, timingSafeEqual } = require("node:crypto");
const { createInterface } = require("node:readline");

const TOLERANCE_SECONDS = 300;

/**
 * Returns the fields of a genuine, recent callback, and null for anything else. Only fields that the signature covers
 * are returned, so an empty one counts as absent.
 *
 * @param {Buffer} body what arrived, byte for byte
 * @param {string[]} secrets the callback secrets held (whsec_…)
 * @param {number} now seconds since 1970
 * @returns {Object<string, string> | null}
 */
function verify(body, secrets, now) {
  const fields = parse(body);
  if (fields === null) return null;
  const { sign = "", sign_previous: signPrevious = "", ...others } = fields;
  const signed = Object.entries(others).filter(([, value]) => value !== "");
  // By bytes: JavaScript's own order of strings is another one beyond U+FFFF.
  signed.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const text = signed.map(([key, value]) => `${key}=${value}`).join("&");
  const genuine = secrets
    .map(keyOf)
    .filter((key) => key !== null)
    .map((key) => createHmac("sha256", key).update(text).digest("hex"))
    .some((expected) => equal(sign, expected) || equal(signPrevious, expected));
  const { timestamp = "" } = others;
  const recent = /^[0-9]+$/.test(timestamp) && Math.abs(now - Number(timestamp)) <= TOLERANCE_SECONDS;
  return genuine && recent ? Object.fromEntries(signed) : null;
}

/** A secret that is not whsec_ and base64 has no key, and nothing is genuine by it. */
function keyOf(secret) {
  const [, text] = /^whsec_(.+)$/.exec(secret) ?? [];
  if (text === undefined) return null;
  const key = Buffer.from(text, "base64");
  // Buffer skips what is not base64.
  return key.toString("base64") === text ? key : null;
}

/** Compares in a time that does not tell where the difference is. */
function equal(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Reads a JSON object of strings, in UTF-8 and with each key once. */
function parse(body) {
  let text, fields;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    fields = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return null;
  const values = Object.values(fields);
  if (!values.every((value) => typeof value === "string")) return null;
  // JSON.parse keeps the last of several equal keys; then there are more quotes than those of a key and a value each.
  const quotes = text.replace(/\\./g, "").split('"').length - 1;
  if (quotes !== 4 * values.length) return null;
  // A surrogate that stands alone is not Unicode text.
  if (Object.entries(fields).flat().some((part) => /\p{Surrogate}/u.test(part))) return null;
  return fields;
}

/** Reads lines of now, secrets joined by commas, and base64 of the body, separated by tabs. */
async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const [now, secrets, body] = line.split("\t");
    const fields = verify(Buffer.from(body, "base64"), secrets.split(","), Number(now));
    console.log(fields === null ? "invalid" : "valid");
  }
}

module.exports = { verify };

if (require.main === module) main();
