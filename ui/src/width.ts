/** Steps of the longest word of a label, in letters; `styles/base.css` has one rule for each. */
const STEPS = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 19, 22];
const BEYOND = 26;

/** The step that holds the longest word of a label. A comma at its end takes hardly any room. */
export function widthOf(label: string): number {
  const words = label.split(/[\s-]+/).map((word) => word.replace(/[.,:;…]+$/u, ''));
  const longest = Math.max(...words.map((word) => [...word].length));
  return STEPS.find((step) => longest <= step) ?? BEYOND;
}
