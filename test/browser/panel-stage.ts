/** A panel on a page for the tests of a file: the built module, the real executable and a Modbus device that is not ours. */
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest';
import { type Bench, openBench } from './panel-bench.ts';

export let bench: Bench;
/** One page for all: loading the stand-in takes longer than a test. */
export let page: Page;
let shown = 0;

/** Called once by a file of tests, before them. Every test begins as the Editor ada, with no control, and may leave no fault on the browser's console. */
export function stagePanel(): void {
  vi.setConfig({ testTimeout: 60_000 });
  beforeAll(async () => {
    bench = await openBench();
    page = await bench.panel([]);
    await page.waitForFunction(() => 'stand' in window);
  }, 120_000);
  afterAll(() => bench?.close());
  beforeEach(async () => {
    // Nothing of the test before asks as somebody else.
    await show();
    bench.studio.stand.person = { login: 'ada', role: 'Editor' };
    bench.studio.errors.length = 0;
  });
  afterEach(() => {
    // A status that is an answer is told on a browser's console too; anything else is a fault of ours.
    expect(bench.studio.errors.filter((text) => !/status of (409|422|423|428|429|502|503|504)/.test(text))).toEqual([]);
  });
}

/** Puts a panel with these controls on the page, all of them new. */
export async function show(...controls: object[]): Promise<Locator[]> {
  const named = controls.map((one) => {
    shown += 1;
    return { ...one, id: `c${shown}` };
  });
  await page.evaluate((own) => {
    const { stand } = window as unknown as { stand: { options: object; setOptions(options: object): void } };
    stand.setOptions({ ...stand.options, controls: own });
  }, named);
  return named.map(({ id }) => page.getByTestId(`control ${id}`));
}

export async function control(options: object): Promise<Locator> {
  const [card] = await show({ device: 'boiler', ...options });
  if (!card) throw new Error('no control was shown');
  await card.waitFor();
  return card;
}

export const state = (card: Locator, wanted: string) => card.locator(`[data-testid=state][data-state=${wanted}]`).waitFor();
export const reads = (card: Locator, text: string) => card.getByTestId('reading').getByText(text, { exact: true }).waitFor();
export const says = (card: Locator, what: 'state' | 'reason' | 'last', text: string | RegExp) =>
  card.getByTestId(what).filter({ hasText: text }).waitFor();
export const commands = async (point: string) =>
  (await bench.ask('GET', `commands?point=${point}`)).body.commands as { state: string; reason?: string }[];
