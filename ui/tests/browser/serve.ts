// Builds the preview and serves it on a port of its own; builds what is measured inside the page.
import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the preview is served, with its slash. */
    address: string;
    /** The script that measures, as text. */
    measures: string;
  }
}

async function measures(): Promise<string> {
  const lib = { entry: 'tests/browser/page/index.ts', formats: ['iife' as const], name: 'measures' };
  const built = await build({ configFile: false, logLevel: 'warn', build: { lib, write: false, minify: false } });
  const [output] = [built].flat() as { output: { code: string }[] }[];
  return output!.output[0]!.code;
}

export default async function serve(project: TestProject): Promise<() => Promise<void>> {
  const outDir = await mkdtemp(join(tmpdir(), 'preview-'));
  const configFile = 'vite.preview.config.ts';
  await build({ configFile, logLevel: 'warn', build: { outDir } });
  const server = await preview({ configFile, logLevel: 'warn', build: { outDir }, preview: { host: '127.0.0.1', port: 0 } });
  const { port } = server.httpServer.address() as { port: number };
  project.provide('address', `http://127.0.0.1:${port}/`);
  project.provide('measures', await measures());
  return async () => {
    await server.close();
    await rm(outDir, { recursive: true, force: true });
  };
}
