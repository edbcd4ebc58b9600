import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStudio, type Studio } from './chromium.ts';

/** The stand-in itself: the built module comes up in it with the real React and @grafana/ui, and talks to the real executable. */
let studio: Studio;

beforeAll(async () => {
  studio = await openStudio({ version: 1, connections: [], devices: [] });
});
afterAll(() => studio?.close());

it('shows the settings page, saves, and says what the executable answers', async () => {
  const page = await studio.open('show=config');
  await page.getByRole('button', { name: 'Save & test' }).click();
  await page.getByTestId('health').waitFor();
  expect(await page.getByTestId('health').textContent()).toMatch(/\w/);
  expect(studio.errors).toEqual([]);
});

it('runs a query of the editor and gets what is wrong with it in words', async () => {
  const page = await studio.open(
    `show=query&query=${encodeURIComponent('{"queryType":"telemetry","devices":["*"],"interval":"7 parsecs"}')}`,
  );
  await page.getByRole('button', { name: 'Run' }).click();
  await page.getByTestId('error').filter({ hasText: 'interval' }).waitFor();
});
