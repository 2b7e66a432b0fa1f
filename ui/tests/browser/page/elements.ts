// What there is to see and to touch, without what lies inert below an overlay.

/** A rectangle in CSS pixels. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A text as it stands on the glass. */
export interface Words {
  element: Element;
  text: string;
  /** Where its letters are, line by line. */
  lines: Box[];
}

/** Everything that counts now. */
export interface Scope {
  root: Element;
  targets: HTMLElement[];
  words: Words[];
}

const brush = document.createElement('canvas').getContext('2d')!;

// The line's box is higher than its letters: what the letters themselves take, above and below the line they stand on.
function ink(node: Text, element: Element): Box[] {
  const range = document.createRange();
  range.selectNodeContents(node);
  brush.font = getComputedStyle(element).font;
  const { fontBoundingBoxAscent, actualBoundingBoxAscent, actualBoundingBoxDescent } = brush.measureText(node.data);
  return [...range.getClientRects()]
    .filter((rect) => rect.width > 0.5)
    .map(({ left, top, right }) => {
      const base = top + fontBoundingBoxAscent;
      return { left, top: base - actualBoundingBoxAscent, right, bottom: base + actualBoundingBoxDescent };
    });
}

function isSeen(element: Element): boolean {
  return element.closest('.unseen') === null && element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
}

function words(root: Element): Words[] {
  const found: Words[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    const [element, text] = [node.parentElement!, node.data.trim()];
    if (!text || !isSeen(element)) continue;
    const lines = ink(node, element);
    if (lines.length > 0) found.push({ element, text, lines });
  }
  return found;
}

/** What is on the glass now: the overlay, where there is one. */
export function scope(): Scope {
  const root = document.querySelector('[role=dialog]') ?? document.querySelector('.kiosk')!;
  const targets = [...root.querySelectorAll<HTMLElement>('button, a[href], input, select, [role=button]')].filter(isSeen);
  return { root, targets, words: words(root) };
}

/** How an element is called in a finding. */
export function called(element: Element): string {
  const id = element.closest('[data-testid]')?.getAttribute('data-testid');
  const said = element.textContent?.trim().replace(/\s+/g, ' ').slice(0, 40);
  return id ? `${id} “${said}”` : `${element.localName} “${said}”`;
}

/** The common part of two boxes in pixels, or nothing. */
export function common(one: Box, other: Box): { wide: number; high: number } | null {
  const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return wide > 0 && high > 0 ? { wide, high } : null;
}

/** By how many pixels a box looks out of another, at each side. */
export function outside(inner: Box, outer: Box): Box {
  return {
    left: outer.left - inner.left,
    top: outer.top - inner.top,
    right: inner.right - outer.right,
    bottom: inner.bottom - outer.bottom,
  };
}
