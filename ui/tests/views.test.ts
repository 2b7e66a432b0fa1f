import { readFileSync, readdirSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { icons } from '../src/drawing/icons';

// What is in a view does not depend on its language; its words do.
const FOLDER = 'views/es/';

// JSON imports widen "kind" to string, so each recording is checked as the literal it is.
it('recorded views are Views to the letter', { timeout: 60_000 }, () => {
  const files = readdirSync(FOLDER);
  const source = files
    .map((file, index) => `const view${index}: View = ${readFileSync(FOLDER + file, 'utf8')};`)
    .join('\n');
  const virtual = 'src/recorded-views.ts';
  const text = `import type { View } from './wire';\n${source}\n`;
  const options: ts.CompilerOptions = { strict: true, noEmit: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022 };
  const host = ts.createCompilerHost(options);
  const [read, exists] = [host.getSourceFile.bind(host), host.fileExists.bind(host)];
  host.getSourceFile = (name, ...rest) =>
    name === virtual ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : read(name, ...rest);
  host.fileExists = (name) => name === virtual || exists(name);
  const program = ts.createProgram([virtual], options, host);
  const complaints = ts.getPreEmitDiagnostics(program).map((found) => {
    const line = found.start === undefined ? '' : text.slice(0, found.start).split('\n').length;
    return `line ${line} of all recordings in a row: ${ts.flattenDiagnosticMessageText(found.messageText, '\n')}`;
  });
  expect(complaints).toEqual([]);
  expect(files.length).toBeGreaterThan(100);
});

it('icons are drawn on the 24 grid', () => {
  for (const [name, path] of Object.entries(icons)) {
    const starts = [...path.matchAll(/M(-?[\d.]+)[ ,]?(-?[\d.]+)/g)].flatMap((match) => [Number(match[1]), Number(match[2])]);
    expect(starts.length, name).toBeGreaterThan(0);
    for (const at of starts) expect(at >= 0 && at <= 24, `${name} starts at ${at}`).toBe(true);
  }
});
