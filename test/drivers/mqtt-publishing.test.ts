/** Commands at a real broker: their order, each quality of service, what the broker says, what is retained. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mosquitto, startMosquitto } from '../far/mosquitto.ts';
import { makeHost, pointOf } from './line.ts';
import { lineTo, never, opened, soon } from './mqtt-session.ts';

describe('commands', () => {
  let broker: Mosquitto;
  beforeAll(async () => {
    broker = await startMosquitto({
      users: { gateway: 's' },
      acl: ['user gateway', 'topic readwrite open/#', 'topic read far-end/#', 'topic write far-end/#'],
    });
  });
  afterAll(() => broker.close());
  const set = { topic: 'open/light/set' };
  const url = () => `mqtt://127.0.0.1:${broker.port}`;
  const asGateway = { username: 'gateway' };
  const host = () => makeHost({ password: 's' });

  it('keeps two commands 5 ms apart, and a burst, in their order', async () => {
    const heard = await broker.hear('open/#');
    const line = lineTo(url(), { light: { set: { ...set, qos: 1 } } }, asGateway);
    const session = await opened(line, host());
    const light = pointOf(line, 'light');
    const on = session.write?.(light, 'ON', never());
    await new Promise((resolve) => setTimeout(resolve, 5));
    const off = session.write?.(light, 'OFF', never());
    expect(await Promise.all([on, off])).toEqual([{ state: 'acknowledged' }, { state: 'acknowledged' }]);
    const burst = await Promise.all(Array.from({ length: 16 }, (_, index) => session.write?.(light, index, never())));
    expect(burst.every((answer) => answer?.state === 'acknowledged')).toBe(true);
    await expect
      .poll(() => heard.messages.map(({ payload }) => payload), soon)
      .toEqual(['ON', 'OFF', ...Array.from({ length: 16 }, (_, index) => String(index))]);
    expect(heard.messages.every(({ retained }) => !retained)).toBe(true);
    await heard.close();
  });

  it.each([0, 1, 2] as const)('QoS %i reaches whoever listens', async (qos) => {
    const heard = await broker.hear('open/#');
    const line = lineTo(url(), { light: { set: { ...set, qos, payload: '{"state": "{value}", "by": "{{gateway}"}' } } }, asGateway);
    const answer = await (await opened(line, host())).write?.(pointOf(line, 'light'), 'a "b"\n', never());
    expect(answer?.state).toBe('acknowledged');
    await expect
      .poll(() => heard.messages[0], soon)
      .toMatchObject({
        qos,
        payload: JSON.stringify({ state: 'a "b"\n', by: '{gateway}' }).replaceAll('":"', '": "').replace(',"', ', "'),
      });
    await heard.close();
  });

  it('says that nobody listens, and that the broker refuses', async () => {
    const line = lineTo(
      url(),
      {
        deaf: { set: { topic: 'open/nobody/set' } },
        forbidden: { set: { topic: 'closed/set' } },
        twice: { set: { topic: 'closed/set', qos: 2 } },
      },
      asGateway,
    );
    const session = await opened(line, host());
    expect(await session.write?.(pointOf(line, 'deaf'), 1, never())).toEqual({
      state: 'acknowledged',
      detail: expect.stringContaining('nobody listens'),
    });
    expect(await session.write?.(pointOf(line, 'forbidden'), 1, never())).toEqual({
      state: 'refused',
      detail: expect.stringContaining('Not authorized'),
    });
    expect(await session.write?.(pointOf(line, 'twice'), 1, never())).toEqual({
      state: 'refused',
      detail: expect.stringContaining('Not authorized'),
    });
  });

  it('leaves a retained command only where the point asks for it', async () => {
    const line = lineTo(url(), { mode: { set: { topic: 'open/mode', retain: true } } }, asGateway);
    await (await opened(line, host())).write?.(pointOf(line, 'mode'), 'eco', never());
    const heard = await broker.hear('open/mode');
    await expect.poll(() => heard.messages, soon).toMatchObject([{ payload: 'eco', retained: true }]);
    await heard.close();
  });
});
