// What an eye must read: large enough, whole, and nothing on top of it.
import type { Finding, Limits } from './index';
import { called, common, outside, type Box, type Scope, type Words } from './elements';

/** Pixels that rounding and side bearings may take. */
const SLACK = 1.5;
/** Rounding of a length in millimetres. */
const ROUNDING = 0.05;

const glass = (): Box => ({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });

/** What ends a text visibly: a box that cuts off, or one with a face or an edge of its own. */
function isFrame(element: Element): boolean {
  const style = getComputedStyle(element);
  if (style.display === 'inline' || style.display === 'contents') return false;
  const cuts = style.overflowX !== 'visible' || style.overflowY !== 'visible';
  const face = !/^rgba\(.*, 0\)$|^transparent$/.test(style.backgroundColor);
  return cuts || face || parseFloat(style.borderTopWidth) > 0;
}

function frames({ root }: Scope, from: Element): Element[] {
  const found: Element[] = [];
  for (let element: Element | null = from; element && root.contains(element); element = element.parentElement) {
    if (isFrame(element)) found.push(element);
  }
  return found;
}

function shortened({ element, text }: Words): Finding[] {
  const { textOverflow, webkitLineClamp } = getComputedStyle(element);
  if (textOverflow === 'clip' && (webkitLineClamp === 'none' || webkitLineClamp === '')) return [];
  return [{ check: 'clip', what: `“${text.slice(0, 40)}”`, found: 'may be shortened by dots' }];
}

function cut(scope: Scope, { element, lines }: Words): Finding[] {
  const around = [glass(), ...frames(scope, element).map((frame) => frame.getBoundingClientRect() as Box)];
  const sides = lines.flatMap((line) => around.flatMap((box) => Object.entries(outside(line, box))));
  const [side, most] = sides.reduce((worst, each) => (each[1] > worst[1] ? each : worst), ['', 0]);
  return most > SLACK ? [{ check: 'clip', what: called(element), found: `looks out at the ${side} by ${Math.round(most)} px` }] : [];
}

/** Parts of the page that hold more than they have room for. */
function overfull({ root }: Scope): Finding[] {
  const parts = [document.documentElement, root, ...root.querySelectorAll('main, footer, header, .sheet')];
  return parts.flatMap((part) => {
    const [across, along] = [part.scrollWidth - part.clientWidth, part.scrollHeight - part.clientHeight];
    if (Math.max(across, along) <= SLACK) return [];
    return [{ check: 'clip' as const, what: part.localName, found: `overflows by ${across} px across and ${along} px along` }];
  });
}

/** Every text whole, inside the glass and inside whatever frames it. */
export function clipped(scope: Scope): Finding[] {
  return [...overfull(scope), ...scope.words.flatMap((words) => [...shortened(words), ...cut(scope, words)])];
}

function meet(one: Words, boxes: Box[]): { wide: number; high: number } | undefined {
  const parts = one.lines.flatMap((line) => boxes.map((box) => common(line, box)));
  return parts.find((part) => part !== null && part.wide > SLACK && part.high > SLACK) ?? undefined;
}

/** No text on another, and none on a button it does not belong to. */
export function overlapping({ words, targets }: Scope): Finding[] {
  const found: Finding[] = [];
  const note = (what: string, part?: { wide: number; high: number }) => {
    if (part) found.push({ check: 'overlap', what, found: `by ${Math.round(part.wide)} × ${Math.round(part.high)} px` });
  };
  words.forEach((one, index) => {
    for (const other of words.slice(index + 1)) note(`${called(one.element)} and ${called(other.element)}`, meet(one, other.lines));
    for (const target of targets.filter((target) => !target.contains(one.element))) {
      note(`${called(one.element)} and ${called(target)}`, meet(one, [target.getBoundingClientRect()]));
    }
  });
  return found;
}

function isOnTop(element: Element, x: number, y: number): boolean {
  const top = document.elementFromPoint(x, y);
  return top !== null && (top.contains(element) || element.contains(top));
}

/** Nothing lies over a text, nor over the middle of a target's four sides. */
export function covered({ words, targets }: Scope): Finding[] {
  const texts = words.filter(({ element, lines }) =>
    lines.some(({ left, top, right, bottom }) => !isOnTop(element, (left + right) / 2, (top + bottom) / 2)),
  );
  const buttons = targets.filter((target) => {
    const { left, top, right, bottom } = target.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const sides: [number, number][] = [[left + 2, y], [right - 2, y], [x, top + 2], [x, bottom - 2]];
    return sides.some(([x, y]) => !target.contains(document.elementFromPoint(x, y)));
  });
  return [...texts.map(({ element }) => element), ...buttons].map((element) => ({
    check: 'covered' as const,
    what: called(element),
    found: 'something lies over it, or it is off the glass',
  }));
}

/** No letters below the smallest. */
export function legible({ words }: Scope, { letters, pxPerMm }: Limits): Finding[] {
  return words.flatMap(({ element }) => {
    const size = parseFloat(getComputedStyle(element).fontSize) / pxPerMm;
    if (size >= letters - ROUNDING) return [];
    return [{ check: 'letters' as const, what: called(element), found: `${size.toFixed(2)} mm, must be ${letters.toFixed(1)} mm` }];
  });
}
