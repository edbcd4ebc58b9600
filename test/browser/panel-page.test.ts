import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrateOptions, needsMigration } from '../../src/panel/options/migration.ts';
import { violations } from './axe.ts';
import { type Bench, openBench } from './panel-bench.ts';

/** The panel as a page: for everybody's eyes and fingers, on a phone, with variables, and while it is made. */
let bench: Bench;
vi.setConfig({ testTimeout: 90_000 });
beforeAll(async () => {
  bench = await openBench();
}, 120_000);
afterAll(() => bench?.close());

const controls = [
  { kind: 'toggle', device: 'boiler', point: 'pump' },
  { kind: 'slider', device: 'boiler', point: 'setpoint' },
  { kind: 'number', device: 'boiler', point: 'setpoint', title: 'Typed' },
  { kind: 'choice', device: 'boiler', point: 'mode' },
  { kind: 'choice', device: 'boiler', point: 'slow', choices: [0, 1, 2, 3, 4, 5, 6, 7] },
  { kind: 'press', device: 'boiler', point: 'reset' },
  { kind: 'press', device: 'boiler', point: 'jog', release: false, colour: 'destructive' },
  { kind: 'text', device: 'boiler', point: 'name' },
  { kind: 'button', device: 'boiler', point: 'guarded', value: 7, colour: 'success' },
  { kind: 'button', device: 'boiler', point: 'valve', value: 7, colour: 'secondary' },
  { kind: 'button', device: 'attic', point: 'fan', value: 7 },
  { kind: 'button' },
  { kind: 'button', device: 'boiler', command: 'boost' },
];

describe.each(['dark', 'light'])('for everybody, %s', (theme) => {
  it('has nothing that axe finds wrong, neither in use nor disabled nor in the question', async () => {
    const page = await bench.panel(controls, { theme, width: '900', height: '800' });
    await page.getByRole('switch', { name: 'Pump' }).waitFor();
    await page.getByTestId('control 10').getByRole('button').click();
    await page.getByTestId('control 10').locator('[data-state=mismatch]').waitFor();
    await page.getByTestId('control 11').getByTestId('reason').waitFor();
    expect(await violations(page, 'section[aria-label=panel]')).toEqual([]);
    await page.getByTestId('control 9').getByRole('button').click();
    await page.getByRole('dialog').waitFor();
    expect(await violations(page, '[role=dialog]')).toEqual([]);
    // Enter pressed twice by mistake says no.
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await bench.holds({ table: 'holding', register: 50 })).toBe(0);
    await page.close();
  });
});

it('is one column of large targets on a phone', async () => {
  const page = await bench.panel(controls, { width: '340', height: '640' }, { width: 375, height: 700 });
  await page.getByRole('switch', { name: 'Pump' }).waitFor();
  await page.getByTestId('control 8').getByRole('button').waitFor();
  const cards = await page
    .locator('section[data-testid^="control"]')
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
  expect(new Set(cards).size).toBe(1);
  const targets = page.locator('section[aria-label=panel]').locator('button, input, select');
  const small = await targets.evaluateAll((all) =>
    all.flatMap((one) => {
      const { width, height } = one.getBoundingClientRect();
      return width < 44 || height < 44 ? [`${one.outerHTML.slice(0, 120)} is ${width} x ${height}`] : [];
    }),
  );
  expect(small).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  await page.close();
});

it('shows what became of a command also where the panel is too low for all of the control', async () => {
  const page = await bench.panel([{ kind: 'button', device: 'boiler', command: 'boost' }], { width: '340', height: '300' });
  await page.getByRole('textbox', { name: 'Minutes' }).fill('15');
  await page.getByRole('combobox', { name: 'Level' }).selectOption('3');
  await page.getByRole('textbox', { name: 'Stage' }).fill('6');
  const run = page.getByRole('button', { name: 'Boost' });
  const below = (name: string) =>
    page.evaluate((id) => {
      const panel = document.querySelector('section[aria-label=panel]')?.getBoundingClientRect().bottom ?? 0;
      return (document.querySelector(`[data-testid=${id}]`)?.getBoundingClientRect().bottom ?? 0) - panel;
    }, name);
  await run.click();
  await page.locator('[data-testid=state][data-state=acknowledged]').waitFor();
  await vi.waitFor(async () => expect(await below('state')).toBeLessThanOrEqual(0));
  await page.close();
});

it('takes variables in bindings, values and words', async () => {
  const page = await bench.panel([
    { kind: 'button', device: '$house', point: ['$', '{what}'].join(''), value: '$to', label: 'Make it $to' },
  ]);
  await page.getByText('no value for the variable $house').waitFor();
  await page.evaluate(() => {
    const own = window as unknown as { standVariables: object; stand: { options: object; setOptions(options: object): void } };
    own.standVariables = { house: 'boiler', what: 'mode', to: 'comfort' };
    own.stand.setOptions({ ...own.stand.options });
  });
  await page.getByRole('button', { name: 'Make it comfort', disabled: false }).click();
  await page.locator('[data-state=verified]').waitFor();
  expect(await bench.holds({ table: 'holding', register: 40 })).toBe(1);
  await page.close();
});

it.each(['..', '.', 'boiler/points/setpoint', '../../health', 'boiler?x=', 'boiler%2fpoints', '*', '{boiler,attic}'])(
  'is led nowhere by a variable that is %j',
  async (house) => {
    const page = await bench.panel([
      { kind: 'button', device: '$house', point: 'setpoint', value: 33 },
      { kind: 'button', device: 'boiler', point: '$house', value: 33 },
    ]);
    const posted: string[] = [];
    page.on('request', (request) => {
      // What the panel reads goes as queries too; commands go to resources only.
      if (request.method() !== 'GET' && request.url().includes('/resources/')) posted.push(request.url());
    });
    await page.getByText('no value for the variable $house').first().waitFor();
    await page.evaluate((value) => {
      const own = window as unknown as { standVariables: object; stand: { options: object; setOptions(options: object): void } };
      own.standVariables = { house: value };
      own.stand.setOptions({ ...own.stand.options });
    }, house);
    const reasons = page.getByTestId('reason').filter({ hasText: /\w/, hasNotText: /Asking|no value for/ });
    await vi.waitFor(async () => expect(await reasons.count()).toBe(2), 10_000);
    expect(await page.locator('section[aria-label=panel]').getByRole('button', { disabled: false }).count()).toBe(0);
    expect(posted).toEqual([]);
    await page.close();
  },
);

it('is bound by search, where only what can be commanded is offered', async () => {
  const page = await bench.panel([], { edit: '1' });
  const pane = page.getByRole('region', { name: 'option Controls' });
  await pane.getByRole('button', { name: 'Add a control' }).click();
  await pane.getByRole('combobox', { name: 'Device' }).fill('boi');
  await page.getByRole('option', { name: /Boiler/ }).click();
  await pane.getByRole('combobox', { name: 'Point or command' }).fill('p');
  await page.getByRole('option', { name: /Pump/ }).waitFor();
  expect(await page.getByRole('option', { name: /pressure/ }).count()).toBe(0);
  await page.getByRole('option', { name: /Pump/ }).click();
  await page.getByTestId('control 1').getByRole('heading', { name: 'Pump' }).waitFor();
  const stored = await page.evaluate(() => (window as unknown as { stand: { options: { controls: object[] } } }).stand.options.controls);
  expect(stored).toMatchObject([{ id: '1', device: 'boiler', target: 'point', name: 'pump' }]);
  await page.close();
});

it('has a field in the options for each parameter of a command', async () => {
  const page = await bench.panel([{ device: 'boiler', command: 'boost' }], { edit: '1' });
  const pane = page.getByRole('region', { name: 'option Controls' });
  const stored = () =>
    page.evaluate(() => (window as unknown as { stand: { options: { controls: { parameters: string }[] } } }).stand.options.controls[0]);
  await pane.getByRole('textbox', { name: /Minutes/ }).fill('12');
  await pane.getByRole('textbox', { name: /Minutes/ }).press('Tab');
  await pane.getByRole('combobox', { name: 'Level' }).click();
  await page.locator('[role=option]', { hasText: '3' }).click();
  await page.getByTestId('control 1').getByRole('button', { name: 'Boost', disabled: false }).waitFor();
  expect(JSON.parse((await stored())?.parameters ?? '')).toEqual({ minutes: 12, level: 3 });
  // What the options do not give is asked for.
  expect(await page.getByTestId('control 1').getByRole('textbox').count()).toBe(1);
  await pane.getByRole('textbox', { name: /Stage/ }).fill('$stage');
  await pane.getByRole('textbox', { name: /Stage/ }).press('Tab');
  await page.getByTestId('control 1').getByRole('textbox').waitFor({ state: 'detached' });
  expect(JSON.parse((await stored())?.parameters ?? '')).toEqual({ minutes: 12, level: 3, now: '$stage' });
  await page.close();
});

describe('options', () => {
  it('of every form become those of today, and stay so', () => {
    const written = {
      controls: [
        { device: 'boiler', point: 'pump', on: true, choices: ['a', { value: 1, label: 'one' }] },
        { command: 'reboot', id: '1' },
        null,
        { id: '1' },
      ],
      columns: -3,
    };
    expect(needsMigration({ options: written })).toBe(true);
    const options = migrateOptions({ options: written });
    expect(options).toMatchObject({ version: 1, columns: 0, showAge: true });
    expect(options.controls.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
    expect(options.controls[0]).toMatchObject({
      kind: 'button',
      target: 'point',
      name: 'pump',
      on: 'true',
      choices: [
        { value: 'a', label: '' },
        { value: '1', label: 'one' },
      ],
    });
    expect(options.controls[1]).toMatchObject({ target: 'command', name: 'reboot' });
    expect(needsMigration({ options })).toBe(false);
    expect(migrateOptions({ options })).toEqual(options);
  });

  it.each([undefined, null, 7, [], { controls: 'none' }, { controls: [[], 'x', 3] }])('that are no options (%j) do no harm', (options) => {
    expect(() => migrateOptions({ options })).not.toThrow();
  });

  it('of a newer panel keep their number, so that it can be said', () => {
    expect(migrateOptions({ options: { version: 7 } }).version).toBe(7);
  });
});
