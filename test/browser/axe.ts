/** What axe finds wrong inside of an element, in words. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

export async function violations(page: Page, inside = '#root'): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(
    async (selector) => (window as unknown as { axe: typeof axe }).axe.run(selector),
    inside,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 200)}`),
  );
}
