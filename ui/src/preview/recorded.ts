// The recorded views: `views/<language>/<scene>.json`, each loaded when it is shown.
import type { View } from '../wire';

const recorded = import.meta.glob<View>('../../views/*/*.json', { import: 'default' });
const places = Object.keys(recorded).map((path) => path.split('/').slice(-2) as [string, string]);

/** The languages there are recordings in, Spanish first. */
export const languages = [...new Set(places.map(([lang]) => lang))].sort(
  (one, other) => Number(other === 'es') - Number(one === 'es') || one.localeCompare(other),
);

/** The names of all scenes, in order. */
export const scenes = [...new Set(places.map(([, file]) => file.slice(0, -'.json'.length)))].sort();

/** A recorded view, or none of that name. */
export async function view(lang: string, scene: string): Promise<View | undefined> {
  return recorded[`../../views/${lang}/${scene}.json`]?.();
}
