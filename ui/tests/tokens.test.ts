import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const sheet = readFileSync('src/styles/tokens.css', 'utf8');

function block(selector: string): Map<string, string> {
  const start = sheet.indexOf(`${selector} {`);
  if (start < 0) throw new Error(`no block ${selector}`);
  const body = sheet.slice(start, sheet.indexOf('\n}', start));
  return new Map([...body.matchAll(/--([\w-]+):\s*([^;]+);/g)].map((match) => [match[1]!, match[2]!]));
}

function theme(...selectors: string[]): (name: string) => string {
  const all = new Map([':root', ...selectors].flatMap((selector) => [...block(selector)]));
  const resolve = (value: string): string => {
    const inner = /^var\(--([\w-]+)\)$/.exec(value);
    return inner ? resolve(all.get(inner[1]!)!) : value;
  };
  return (name) => resolve(all.get(name) ?? `unknown ${name}`);
}

/** Relative luminance and contrast ratio of WCAG 2.1. */
function luminance(hex: string): number {
  const parts = /^#(..)(..)(..)$/.exec(hex);
  if (!parts) throw new Error(`not a colour: ${hex}`);
  const [red, green, blue] = parts.slice(1).map((part) => {
    const share = parseInt(part, 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

const SEA = ":root[data-mood='sea']";
const HIGH = ":root[data-theme='high-contrast']";
const themes = { sand: theme(), sea: theme(SEA), 'high contrast': theme(HIGH), 'high contrast at sea': theme(SEA, HIGH) };

const TEXT: [string, string][] = [
  ['text', 'ground'],
  ['text', 'sky'],
  ['text-2', 'ground'],
  ['text', 'strip'],
  ['finish', 'ground'],
  ['finish', 'strip'],
  ['on-main', 'main'],
  ['on-main-2', 'main'],
  ['on-pay', 'pay'],
  ['notice-text', 'notice'],
  ['off-text', 'off'],
];
const PARTS: [string, string][] = [
  ['accent', 'ground'],
  ['button-edge', 'ground'],
  ['tool-edge', 'strip'],
  ['focus', 'ground'],
  ['focus', 'strip'],
  ['on-main-icon', 'main'],
  ['notice-icon', 'notice'],
  ['finish-edge', 'strip'],
  ['step-edge', 'ground'],
];

describe.each(Object.entries(themes))('in %s', (_, color) => {
  it.each(TEXT)('%s on %s is text of at least 7:1', (front, back) => {
    expect(contrast(color(front), color(back))).toBeGreaterThanOrEqual(front === 'off-text' ? 4.5 : 7);
  });

  it.each(PARTS)('%s on %s is a part of at least 3:1', (front, back) => {
    expect(contrast(color(front), color(back))).toBeGreaterThanOrEqual(3);
  });
});
