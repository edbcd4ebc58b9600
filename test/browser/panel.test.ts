import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Bench, openBench } from './panel-bench.ts';

/** The control panel in a browser, with the built module, the real executable and a Modbus device that is not ours. */
let bench: Bench;
/** One page for all: loading the stand-in takes longer than a test. */
let page: Page;
let shown = 0;
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

/** Puts a panel with these controls on the page, all of them new. */
async function show(...controls: object[]): Promise<Locator[]> {
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

async function control(options: object): Promise<Locator> {
  const [card] = await show({ device: 'boiler', ...options });
  if (!card) throw new Error('no control was shown');
  await card.waitFor();
  return card;
}

const state = (card: Locator, wanted: string) => card.locator(`[data-testid=state][data-state=${wanted}]`).waitFor();
const reads = (card: Locator, text: string) => card.getByTestId('reading').getByText(text, { exact: true }).waitFor();
const says = (card: Locator, what: 'state' | 'reason' | 'last', text: string | RegExp) =>
  card.getByTestId(what).filter({ hasText: text }).waitFor();
const commands = async (point: string) =>
  (await bench.ask('GET', `commands?point=${point}`)).body.commands as { state: string; reason?: string }[];

describe('each kind of control sends and shows what the device says', () => {
  it('toggle: stands where the device does', async () => {
    await bench.set({ table: 'coil', register: 3, value: false });
    const card = await control({ kind: 'toggle', point: 'pump' });
    const toggle = card.getByRole('switch', { name: 'Pump', checked: false });
    await toggle.click();
    await state(card, 'verified');
    await says(card, 'state', 'Set to on, and verified.');
    await card.getByRole('switch', { name: 'Pump', checked: true }).waitFor();
    await reads(card, 'on');
    expect(await bench.holds({ table: 'coil', register: 3 })).toBe(true);
    await says(card, 'last', /Last: on by ada, .*verified/);
  });

  it('slider: a pointer sends when it lets go, keys wait for Enter', async () => {
    await bench.set({ table: 'holding', register: 30, value: 300 });
    const card = await control({ kind: 'slider', point: 'setpoint' });
    await reads(card, '30 °C');
    const slider = card.getByRole('slider', { name: 'Flow setpoint' });
    const box = await slider.boundingBox();
    if (!box) throw new Error('the slider is not to be seen');
    await slider.click({ position: { x: box.width / 2, y: box.height / 2 } });
    await state(card, 'verified');
    await reads(card, '55 °C');
    expect(await bench.holds({ table: 'holding', register: 30 })).toBe(550);
    await slider.focus();
    await slider.press('ArrowRight');
    await slider.press('ArrowRight');
    await card.getByRole('button', { name: 'Set to 56 °C' }).waitFor();
    expect(await bench.holds({ table: 'holding', register: 30 })).toBe(550);
    await slider.press('Enter');
    await reads(card, '56 °C');
    expect(await commands('setpoint')).toHaveLength(2);
  });

  it('number: says what is allowed before it sends', async () => {
    const card = await control({ kind: 'number', point: 'setpoint' });
    const field = card.getByRole('textbox', { name: 'Flow setpoint' });
    await field.fill('91');
    await card.getByText('Allowed is 20 °C to 90 °C, in steps of 0.5.').waitFor();
    await field.fill('60,5');
    await field.press('Enter');
    await state(card, 'verified');
    await reads(card, '60.5 °C');
    expect(await field.inputValue()).toBe('');
  });

  it('choice: marks what the device reports', async () => {
    await bench.set({ table: 'holding', register: 40, value: 0 });
    const card = await control({ kind: 'choice', point: 'mode' });
    await card.getByRole('button', { name: 'eco', pressed: true }).waitFor();
    await card.getByRole('button', { name: 'boost', pressed: false }).click();
    await state(card, 'verified');
    await card.getByRole('button', { name: 'boost', pressed: true }).waitFor();
    expect(await bench.holds({ table: 'holding', register: 40 })).toBe(2);
  });

  it('choice: many are a list', async () => {
    await bench.set({ table: 'holding', register: 84, value: 0 });
    const card = await control({
      kind: 'choice',
      point: 'slow',
      choices: Array.from({ length: 9 }, (_, i) => ({ value: i, label: `step ${i}` })),
    });
    await card.getByRole('combobox', { name: 'Damper' }).selectOption('step 7');
    await card.getByRole('button', { name: 'Set' }).click();
    // A verification that takes its time is told as one, and the list stands where the device does only when it does.
    await state(card, 'acknowledged');
    await says(card, 'state', 'its effect is being checked');
    await state(card, 'verified');
    expect(await bench.holds({ table: 'holding', register: 86 })).toBe(7);
  });

  it('text', async () => {
    const card = await control({ kind: 'text', point: 'name' });
    await card.getByRole('textbox', { name: 'Name' }).fill('north 7');
    await card.getByRole('button', { name: 'Set' }).click();
    await state(card, 'verified');
    await reads(card, 'north 7');
  });

  it('press: what is not read back is accepted, not verified', async () => {
    const card = await control({ kind: 'press', point: 'reset' });
    await card.getByRole('button', { name: 'Press: Reset fault' }).click();
    await state(card, 'acknowledged');
    await says(card, 'state', 'its effect is not checked');
    expect(await bench.holds({ table: 'coil', register: 9 })).toBe(true);
    expect(await card.getByTestId('reading').count()).toBe(0);
  });

  it('press: is held down and let go, by pointer and by key', async () => {
    const card = await control({ kind: 'press', point: 'jog', value: true, release: false });
    const button = card.getByRole('button', { name: 'Hold: Jog' });
    await button.hover();
    await page.mouse.down();
    await reads(card, 'on');
    await page.mouse.up();
    await reads(card, 'off');
    await button.focus();
    await page.keyboard.down(' ');
    await reads(card, 'on');
    // Whoever leaves while it is held lets go.
    await page.evaluate(() => window.dispatchEvent(new Event('blur')));
    await reads(card, 'off');
    expect(await bench.holds({ table: 'coil', register: 11 })).toBe(false);
  });

  it('button: a value of its own words', async () => {
    const card = await control({ kind: 'button', point: 'mode', value: 'comfort', label: 'Make it cosy' });
    await card.getByRole('button', { name: 'Make it cosy' }).click();
    await state(card, 'verified');
    await reads(card, 'comfort');
  });

  it('shows what others do at the device, without being asked', async () => {
    await bench.set({ table: 'holding', register: 30, value: 300 });
    const card = await control({ kind: 'number', point: 'setpoint' });
    await reads(card, '30 °C');
    await bench.set({ table: 'holding', register: 30, value: 445 });
    await reads(card, '44.5 °C');
  });
});

describe('what ends otherwise is said in words', () => {
  it('a mismatch', async () => {
    const card = await control({ kind: 'button', point: 'valve', value: 7 });
    await card.getByRole('button', { name: 'Set to 7' }).click();
    await state(card, 'mismatch');
    await says(card, 'state', /accepted it, but after 400ms boiler.valve_seen reads 0, not 7/);
  });

  it('a refusal of the device', async () => {
    const card = await control({ kind: 'button', point: 'refused', value: 7 });
    await card.getByRole('button', { name: 'Set to 7' }).click();
    await state(card, 'failed');
    await says(card, 'state', /refused to set it to 7/);
  });

  it('a refusal of the backend, and the wish stays to be put right', async () => {
    const card = await control({ kind: 'number', point: 'setpoint' });
    const field = card.getByRole('textbox');
    await field.fill('50.3');
    await field.press('Enter');
    await state(card, 'refused');
    await says(card, 'state', /50\.3.*0\.5/);
    expect(await field.inputValue()).toBe('50.3');
  });

  it('no answer: nobody knows', async () => {
    await bench.far.ask({ hold: true });
    const card = await control({ kind: 'button', point: 'silent', value: 7 });
    await card.getByRole('button', { name: 'Set to 7', disabled: false }).click();
    await state(card, 'unknown');
    await says(card, 'state', /^ *Not known whether the device did it \(set it to 7\)/);
    await bench.far.ask({ hold: false });
  });
});

describe('one after the other', () => {
  const busy = () => control({ device: 'lift', kind: 'button', point: 'held', value: 1 });
  const press = (card: Locator) => card.getByRole('button', { name: /^Set to/, disabled: false }).click();
  const cards = async (): Promise<[Locator, Locator, Locator]> =>
    (await show(
      { device: 'lift', kind: 'button', point: 'held', value: 1 },
      { device: 'lift', kind: 'button', point: 'floor', value: 2 },
      { device: 'lift', kind: 'button', point: 'floor', value: 3 },
    )) as [Locator, Locator, Locator];

  it('one that waits says how many go before it, and is taken out of the queue', async () => {
    await bench.hall.ask({ hold: true });
    const [held, first, second] = await cards();
    await press(held);
    await says(held, 'state', 'Asked to set it to 1: sent, no answer yet.');
    await press(first);
    await says(first, 'state', 'Asked to set it to 2: waiting, 1 before it.');
    await press(second);
    await says(second, 'state', 'Asked to set it to 3: waiting, 2 before it.');
    await first.getByRole('button', { name: /^Cancel/ }).click();
    await state(first, 'rejected');
    await says(first, 'state', /^ *Not sent\. Cancelled by ada; nothing was sent\./i);
    await says(second, 'state', 'Asked to set it to 3: waiting, 1 before it.');
    await bench.hall.ask({ hold: false });
    await state(second, 'verified');
    await state(held, 'verified');
    expect((await commands('floor')).map((one) => one.state)).toEqual(['verified', 'rejected']);
  });

  it('one that waited too long was not sent', async () => {
    await bench.hall.ask({ hold: true });
    const held = await busy();
    await press(held);
    await says(held, 'state', 'sent, no answer yet');
    const [card] = (await show({ device: 'lift', kind: 'button', point: 'floor', value: 9 })) as [Locator];
    await page.route('**/points/floor', (route) =>
      route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), expires: '300ms' }) }),
    );
    await press(card);
    await state(card, 'expired');
    await says(card, 'state', /^ *Not sent: it waited too long\. .*not sent within 300ms/i);
    await page.unroute('**/points/floor');
    await bench.hall.ask({ hold: false });
    await vi.waitFor(async () => expect((await commands('held'))[0]?.state).toBe('verified'), 10_000);
    expect((await bench.hall.ask({ get: true, table: 'holding', register: 20, order: 'AB', type: 'int16' })).value).toBe(3);
  });
});

describe('a command', () => {
  const held = (register: number) => bench.holds({ table: 'holding', register });

  it('asks for what the options leave open, and sends it', async () => {
    const card = await control({ kind: 'button', command: 'boost', parameters: { now: 6 }, confirm: true });
    const run = card.getByRole('button', { name: 'Boost' });
    await says(card, 'reason', 'Minutes is needed.');
    await card.getByRole('textbox', { name: 'Minutes' }).fill('90');
    await says(card, 'reason', 'Minutes has to be 1 to 60.');
    expect(await run.isDisabled()).toBe(true);
    await card.getByRole('textbox', { name: 'Minutes' }).fill('15');
    await card.getByRole('combobox', { name: 'Level' }).selectOption('3');
    expect(await card.getByRole('textbox', { name: 'Stage' }).count()).toBe(0);
    await run.click();
    await page.getByRole('dialog').getByText('Run “Boost” on boiler with Stage 6, Minutes 15, Level 3?').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Yes, do it' }).click();
    await state(card, 'acknowledged');
    expect([await held(90), await held(91), await held(92)]).toEqual([15, 3, 6]);
    await says(card, 'last', /Last: Boost by ada, .*acknowledged/);
  });

  it('takes all of them from the options, with variables in them, or is told what is wrong with them', async () => {
    const card = await control({ kind: 'button', command: 'boost', parameters: { minutes: '20', level: 1, now: 1 } });
    await card.getByRole('button', { name: 'Boost', disabled: false }).click();
    await state(card, 'acknowledged');
    expect([await held(90), await held(91), await held(92)]).toEqual([20, 1, 1]);
    const wrong = await control({ kind: 'button', command: 'boost', parameters: { minutes: 61, level: 1, now: 1 } });
    await wrong.getByRole('button', { name: 'Boost', disabled: false }).click();
    await state(wrong, 'refused');
    await says(wrong, 'state', /Parameter minutes is 61; allowed is a whole number from 1 to 60\./i);
    const broken = await control({ kind: 'button', command: 'boost', parameters: '{ minutes' });
    await says(broken, 'reason', 'no JSON object');
  });
});

describe('who sent the last one', () => {
  it('is told while the point never stands still, and asked for at a bounded rate', async () => {
    await bench.ask('POST', 'devices/boiler/points/setpoint', { value: 40 });
    let asked = 0;
    await page.route('**/resources/commands?*point=setpoint*', async (route) => {
      asked += 1;
      await route.continue();
    });
    const card = await control({ kind: 'number', point: 'setpoint' });
    for (let value = 410; value < 460; value += 10) {
      await bench.set({ table: 'holding', register: 30, value });
      await reads(card, `${value / 10} °C`);
    }
    await says(card, 'last', 'Last: 40 °C by ada');
    expect(asked).toBeLessThan(3);
    await bench.ask('POST', 'devices/boiler/points/setpoint', { value: 55 });
    await says(card, 'last', 'Last: 55 °C by ada');
    await page.unroute('**/resources/commands?*point=setpoint*');
  });
});

describe('who may not, and when not', () => {
  it('a Viewer reads and is told why not', async () => {
    bench.studio.stand.person = { login: 'vic', role: 'Viewer' };
    const card = await control({ kind: 'toggle', point: 'pump' });
    await says(card, 'reason', /the role Viewer may look but not send commands/);
    const toggle = card.getByRole('switch', { name: 'Pump', disabled: true });
    await toggle.click({ force: true });
    expect(await card.getByTestId('state').getAttribute('data-state')).toBe('idle');
    expect(await card.getByTestId('last').count()).toBe(0);
  });

  it('a Viewer whom a rule lets sees how it ended, though the list of commands is not for them', async () => {
    bench.studio.stand.person = { login: 'vic', role: 'Viewer' };
    const card = await control({ kind: 'toggle', point: 'for_all' });
    await card.getByRole('switch', { name: 'Light', checked: false }).click();
    await state(card, 'verified');
    await card.getByRole('switch', { name: 'Light', checked: true }).waitFor();
  });

  it('a point for Admins', async () => {
    const card = await control({ kind: 'number', point: 'for_admins' });
    await says(card, 'reason', /need the role Admin here/);
  });

  it('a device that is offline', async () => {
    const card = await control({ device: 'attic', kind: 'button', point: 'fan', value: 1 });
    await says(card, 'reason', /attic is offline/);
    await card.getByRole('button', { name: 'Set to 1', disabled: true }).waitFor();
  });

  it('a lock, until it is lifted', async () => {
    await bench.ask('POST', 'devices/boiler/lock', { reason: 'new valve', for: '10m' });
    const card = await control({ kind: 'toggle', point: 'pump' });
    await says(card, 'reason', /locked for maintenance until .*new valve.*left/);
    await bench.ask('DELETE', 'devices/boiler/lock');
    await card.getByTestId('reason').waitFor({ state: 'hidden' });
  });

  it('an interlock', async () => {
    await bench.set({ table: 'holding', register: 80, value: 5 });
    const card = await control({ kind: 'button', point: 'locked_in', value: 1 });
    await says(card, 'reason', /interlocked: .*pressure/);
    await bench.set({ table: 'holding', register: 80, value: 1 });
    await card.getByTestId('reason').waitFor({ state: 'hidden' });
    await card.getByRole('button', { name: 'Set to 1' }).click();
    await state(card, 'verified');
  });

  it('cooling down: counts, and can be used again by itself', async () => {
    const card = await control({ kind: 'button', point: 'cooled', value: 1 });
    await card.getByRole('button', { name: 'Set to 1', disabled: false }).click();
    await state(card, 'verified');
    await says(card, 'reason', /[1-4] s left/);
    await card.getByTestId('reason').waitFor({ state: 'hidden' });
    await card.getByRole('button', { name: 'Set to 1', disabled: false }).waitFor();
  });

  it('what does not exist, and what is bound to nothing', async () => {
    await show({ device: 'boiler', point: 'nosuch' }, { device: 'nobody', point: 'x' }, {}, { device: '$room', point: 'x' });
    for (const text of [
      'boiler has no point "nosuch".',
      /there is no device "nobody" that runs/,
      'Not bound yet',
      'no value for the variable $room',
    ])
      await page.getByText(text).waitFor();
    bench.studio.errors.length = 0;
  });
});

describe('asks first', () => {
  it('where the settings say so: with the reading, and nothing is sent before yes', async () => {
    await bench.set({ table: 'holding', register: 50, value: 3 });
    const card = await control({ kind: 'button', point: 'guarded', value: 7 });
    await reads(card, '3');
    const dialog = page.getByRole('dialog');
    await card.getByRole('button', { name: 'Set to 7' }).click();
    await dialog.getByText('boiler.guarded reads 3').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await bench.holds({ table: 'holding', register: 50 })).toBe(3);

    await card.getByRole('button', { name: 'Set to 7' }).click();
    await dialog.getByText('boiler.guarded reads 3').waitFor();
    // What the person was shown is not so any more: asked again, with what it reads now.
    await bench.set({ table: 'holding', register: 50, value: 4 });
    await vi.waitFor(
      async () => expect(((await bench.ask('GET', 'devices/boiler/points/guarded')).body.last as { value: number }).value).toBe(4),
      5_000,
    );
    await dialog.getByRole('button', { name: 'Yes, do it' }).click();
    await dialog.getByText('boiler.guarded reads 4').waitFor();
    expect(await bench.holds({ table: 'holding', register: 50 })).toBe(4);
    await dialog.getByRole('button', { name: 'Yes, do it' }).click();
    await state(card, 'verified');
    expect(await bench.holds({ table: 'holding', register: 50 })).toBe(7);
  });

  it('where the panel does, and why', async () => {
    const card = await control({ kind: 'button', point: 'mode', value: 'eco', confirm: true, question: 'Really save?', askReason: true });
    await card.getByRole('button', { name: 'Set to eco' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Really save?').waitFor();
    expect(await dialog.getByRole('button', { name: 'Yes, do it' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox', { name: 'Why' }).fill('nobody is in');
    await dialog.getByRole('button', { name: 'Yes, do it' }).click();
    await state(card, 'verified');
    expect((await commands('mode'))[0]).toMatchObject({ state: 'verified', reason: 'nobody is in' });
  });
});

describe('once', () => {
  it('a double click', async () => {
    const before = (await commands('reset')).length;
    const card = await control({ kind: 'press', point: 'reset' });
    await card.getByRole('button', { name: 'Press: Reset fault', disabled: false }).dblclick();
    await state(card, 'acknowledged');
    expect(await commands('reset')).toHaveLength(before + 1);
  });

  it('a lost answer: asked again under the same key', async () => {
    const before = (await commands('reset')).length;
    const card = await control({ kind: 'press', point: 'reset' });
    const keys: string[] = [];
    await page.route('**/points/reset', async (route) => {
      keys.push(route.request().headers()['idempotency-key'] ?? '');
      // The first one arrives, and its answer does not.
      if (keys.length > 1) return await route.continue();
      await route.fetch();
      await route.abort('connectionreset');
    });
    await card.getByRole('button', { name: 'Press: Reset fault', disabled: false }).click();
    await state(card, 'acknowledged');
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(await commands('reset')).toHaveLength(before + 1);
    bench.studio.errors.length = 0;
  });
});
