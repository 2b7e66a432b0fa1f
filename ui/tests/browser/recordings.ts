// The recorded views as files, by language and scene.
import { readFileSync, readdirSync } from 'node:fs';
import type { View } from '../../src/wire';

const FOLDER = 'views';

export const languages = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** The scenes of a language. */
export function scenes(lang: string): string[] {
  return readdirSync(`${FOLDER}/${lang}`).map((file) => file.slice(0, -'.json'.length));
}

export function recorded(lang: string, scene: string): View {
  return JSON.parse(readFileSync(`${FOLDER}/${lang}/${scene}.json`, 'utf8')) as View;
}
