import axe from 'axe-core';
import { expect, it } from 'vitest';
import { kiosk, names, view } from './recorder';

// Colours are measured in tokens.test.ts: nothing is laid out here. The page itself has no text, so its title is the shell's.
const RULES = { 'color-contrast': { enabled: false }, 'document-title': { enabled: false } };

it.each(names)('axe finds nothing in %s', async (name) => {
  const { container } = await kiosk(view(name));
  const { violations } = await axe.run(container, { rules: RULES });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)).toEqual([]);
});
