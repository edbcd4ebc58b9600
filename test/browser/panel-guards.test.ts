import type { Locator } from 'playwright-core';
import { describe, expect, it, vi } from 'vitest';
import { bench, commands, control, page, reads, says, show, stagePanel, state } from './panel-stage.ts';

/** What stands between a press and the device, in the panel: those before it, rights, guards, a question; and that it goes once. */
stagePanel();

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

describe('who may not, and when not', () => {
  it('a Viewer reads and is told why not', async () => {
    bench.studio.stand.person = { login: 'vic', role: 'Viewer' };
    const card = await control({ kind: 'toggle', point: 'pump' });
    await says(card, 'reason', /The role Viewer may look but not send commands/);
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
