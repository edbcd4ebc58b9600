import { describe, expect, it } from 'vitest';
import { bench, commands, control, page, reads, says, stagePanel, state } from './panel-stage.ts';

/** The controls of the panel: what they send, and what is said of it. */
stagePanel();

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
    // A button that is still asking, or whose command is under way, takes no press.
    const ready = () => card.getByRole('button', { name: 'Hold: Jog', disabled: false }).waitFor();
    await ready();
    await button.hover();
    await page.mouse.down();
    await reads(card, 'on');
    await page.mouse.up();
    await reads(card, 'off');
    await ready();
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
