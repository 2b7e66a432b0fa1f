/** Steps of a word's width; `styles/base.css` has one rule for each. */
const STEPS = [5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9, 9.5, 10, 10.5, 11, 11.5, 12, 13, 14, 15, 16, 17, 19, 22];
const BEYOND = 26;

/** About how wide the letters of the bundled typeface are, in widths of an "a"; all others are 1.08. */
const WIDTHS: [RegExp, number][] = [
  [/[ijlI'’.,:;|![\]()]/, 0.5],
  [/[rtf]/, 0.74],
  [/[csz]/, 0.86],
  [/[aekvxy]/, 1],
  [/[A-LN-VX-Z]/, 1.16],
  [/[mwMW]/, 1.66],
];

function widthOfLetter(letter: string): number {
  return WIDTHS.find(([these]) => these.test(letter))?.[1] ?? 1.08;
}

/** The step that holds the widest word of a label, in widths of an "a". Punctuation at its end is of no account. */
export function widthOf(label: string): number {
  // An accent adds nothing to a letter's width.
  const plain = label.normalize('NFD').replace(/\p{M}/gu, '');
  const words = plain.split(/[\s-]+/).map((word) => [...word.replace(/[.,:;…]+$/u, '')]);
  const widest = Math.max(...words.map((word) => word.reduce((sum, letter) => sum + widthOfLetter(letter), 0)));
  return STEPS.find((step) => widest <= step) ?? BEYOND;
}
