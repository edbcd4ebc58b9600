/** Finds the field of a place, or the nearest thing around it, once what hides it has opened; scrolls there and puts the cursor in. */
import { isWithin } from './document.ts';

/** Lists, forms and their folded parts open one inside the other, each with a rendering of its own. */
const looksMax = 12;
const lookEveryMs = 50;

/** Returns what cancels it. */
export function showPlace(root: HTMLElement, place: string): () => void {
  let looks = 0;
  const timer = setInterval(() => {
    looks++;
    const places = [...root.querySelectorAll<HTMLElement>('[data-place]')];
    const around = places
      .filter((one) => isWithin(place, one.dataset.place ?? ''))
      .sort((one, other) => (other.dataset.place ?? '').length - (one.dataset.place ?? '').length);
    const exact = places.findLast((one) => one.dataset.place === place);
    if (!exact && looks < looksMax) return;
    clearInterval(timer);
    const found = exact ?? around[0];
    found?.scrollIntoView({ block: 'center' });
    found?.querySelector<HTMLElement>('input, textarea, select, button')?.focus({ preventScroll: true });
  }, lookEveryMs);
  return () => clearInterval(timer);
}
