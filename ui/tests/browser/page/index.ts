// Measured inside the page: where everything lies on the glass. Lengths are in millimetres of the glass unless named otherwise.
import { clipped, covered, legible, overlapping } from './texts';
import { placed, sized, spaced, within, type Place } from './targets';
import { scope } from './elements';
import { scan } from './telephone';

/** What a screen must keep to. */
export interface Limits {
  pxPerMm: number;
  /** The ids of the targets that must be as large as a main action; all others may be smaller. */
  main: string[];
  /** No target begins above this share of the glass, from its top. */
  reach: number;
  /** The smallest letters. */
  letters: number;
}

/** Something that is not as it must be. */
export interface Finding {
  check: 'size' | 'gap' | 'reach' | 'clip' | 'overlap' | 'covered' | 'letters';
  /** The element, by its id or its words. */
  what: string;
  /** What was measured. */
  found: string;
}

/** Everything found on the screen that stands, and the places of its tools by their ids. */
export function inspect(limits: Limits): { findings: Finding[]; tools: Record<string, Place> } {
  const on = scope();
  const checks = [sized, spaced, within, clipped, overlapping, covered, legible];
  return { findings: checks.flatMap((check) => check(on, limits)), tools: placed(on, limits) };
}

declare global {
  interface Window {
    measures: { inspect: typeof inspect; scan: typeof scan };
  }
}

window.measures = { inspect, scan };
