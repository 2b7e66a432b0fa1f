// What a finger must meet: large enough, far enough from its neighbour, within reach, always in its place.
import type { Finding, Limits } from './index';
import { called, type Scope } from './elements';

/** Where something lies, in millimetres. */
export interface Place {
  left: number;
  top: number;
  wide: number;
  high: number;
}

const MAIN = 20;
const OTHER = 16;
const GAP = 3;
/** What rounding to pixels may take. */
const ROUNDING = 0.1;

const mm = (px: number, { pxPerMm }: Limits) => px / pxPerMm;
const told = (length: number) => length.toFixed(1);

function isMain(target: HTMLElement, { main }: Limits): boolean {
  return main.includes(target.dataset['testid'] ?? '');
}

/** Main actions 20 by 20, all others 16 by 16. */
export function sized({ targets }: Scope, limits: Limits): Finding[] {
  return targets.flatMap((target) => {
    const { width, height } = target.getBoundingClientRect();
    const [wide, high] = [mm(width, limits), mm(height, limits)];
    const least = isMain(target, limits) ? MAIN : OTHER;
    if (Math.min(wide, high) >= least - ROUNDING) return [];
    return [{ check: 'size' as const, what: called(target), found: `${told(wide)} × ${told(high)} mm, must be ${least} mm` }];
  });
}

function distance(one: DOMRect, other: DOMRect): number {
  const across = Math.max(one.left - other.right, other.left - one.right, 0);
  const along = Math.max(one.top - other.bottom, other.top - one.bottom, 0);
  return Math.hypot(across, along);
}

/** At least 3 from each other. */
export function spaced({ targets }: Scope, limits: Limits): Finding[] {
  const boxes = targets.map((target) => ({ target, box: target.getBoundingClientRect() }));
  return boxes.flatMap((one, index) =>
    boxes.slice(index + 1).flatMap((other) => {
      const apart = mm(distance(one.box, other.box), limits);
      if (apart >= GAP - ROUNDING) return [];
      const what = `${called(one.target)} and ${called(other.target)}`;
      return [{ check: 'gap' as const, what, found: `${told(apart)} mm apart, must be ${GAP} mm` }];
    }),
  );
}

/** Nothing to touch above the line of reach. */
export function within({ targets }: Scope, limits: Limits): Finding[] {
  const line = mm(innerHeight * limits.reach, limits);
  return targets.flatMap((target) => {
    const top = mm(target.getBoundingClientRect().top, limits);
    if (top >= line - ROUNDING) return [];
    return [{ check: 'reach' as const, what: called(target), found: `${told(top)} mm below the top, must be ${told(line)} mm` }];
  });
}

/** Where the tools lie. */
export function placed({ root }: Scope, limits: Limits): Record<string, Place> {
  const tools = [...root.querySelectorAll<HTMLElement>('footer button')];
  const place = ({ left, top, width, height }: DOMRect): Place => ({
    left: mm(left, limits),
    top: mm(top, limits),
    wide: mm(width, limits),
    high: mm(height, limits),
  });
  return Object.fromEntries(tools.map((tool) => [tool.dataset['testid'], place(tool.getBoundingClientRect())]));
}
