// The peer of the terminal's feed: the same rows in PouchDB, the document database that offline-first programs in
// JavaScript use. `node pouchdb.js ROWS RUNS`; ROWS holds each row behind its length (four bytes, big-endian), and a
// row begins with its id of 16 bytes. Every run loads all of them into an empty database on this disk, in batches of a
// thousand, with the row in base64 as a field, and then looks three of them up. LevelDB as PouchDB opens it syncs
// nothing, so what is measured ends at "searchable" and is never durable. Prints one line.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import leveldb from "pouchdb-adapter-leveldb";
import PouchDB from "pouchdb-core";

const BATCH = 1000;
PouchDB.plugin(leveldb);

function read(file) {
  const bytes = readFileSync(file);
  const documents = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const row = bytes.subarray(at + 4, at + 4 + length);
    documents.push({ _id: row.toString("hex", 0, 16), row: row.toString("base64") });
    at += 4 + length;
  }
  return documents;
}

async function load(documents) {
  const folder = mkdtempSync(join(tmpdir(), "pouchdb-"));
  const start = process.hrtime.bigint();
  const database = new PouchDB(join(folder, "rows"), { adapter: "leveldb" });
  for (let at = 0; at < documents.length; at += BATCH) {
    const answers = await database.bulkDocs(documents.slice(at, at + BATCH));
    if (!answers.every((answer) => answer.ok)) throw new Error("a row was refused");
  }
  for (const at of [0, documents.length >> 1, documents.length - 1]) {
    const found = await database.get(documents[at]._id);
    if (found.row !== documents[at].row) throw new Error("a row is another");
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const { doc_count: count } = await database.info();
  if (count !== documents.length) throw new Error(`${count} rows`);
  await database.close();
  rmSync(folder, { recursive: true });
  return seconds;
}

const [file, runs] = process.argv.slice(2);
const documents = read(file);
const taken = [];
for (let run = 0; run < Number(runs); run += 1) taken.push(await load(documents));
taken.sort((one, other) => one - other);
const median = taken[taken.length >> 1];
console.log(`${documents.length} ${median.toFixed(3)}`);
