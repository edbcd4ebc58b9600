/** MQTT over TLS and WebSocket, and the endpoint a bus is shared by. */
import { describe, expect, it } from 'vitest';
import { LinkLost } from '../../src/contract/fault.ts';
import { makeCertificates } from '../far/certificates.ts';
import { freePort, startMosquitto } from '../far/mosquitto.ts';
import { makeHost } from './line.ts';
import { driver, lineTo, listen, nudged, open, opened, pointsOf, soon } from './mqtt-session.ts';

describe('other transports', () => {
  it('TLS: says what is wrong with a certificate, and opens with the CA', async () => {
    const { ca, of } = await makeCertificates('broker.test');
    const files = { 'ca.pem': ca, 'server.pem': of['broker.test'].cert, 'server.key': of['broker.test'].key };
    const listener = ['listener {port} 127.0.0.1', 'cafile {folder}/ca.pem', 'certfile {folder}/server.pem', 'keyfile {folder}/server.key'];
    const broker = await startMosquitto({ listener, files });
    const to = (scheme: string, tls = {}) => lineTo(`${scheme}://127.0.0.1:${broker.port}`, { p: { topic: 'p', format: 'text' } }, { tls });
    await expect(open(to('mqtts'))).rejects.toThrow(/secret "ca"/);
    await expect(open(to('mqtts'), makeHost({ ca }))).rejects.toThrow(/another host name/);
    await expect(open(to('mqtt'))).rejects.toThrow(/hung up.*without TLS/);
    await (await open(to('mqtts', { verify: false }))).close();
    const session = await opened(to('mqtts', { serverName: 'broker.test' }), makeHost({ ca }));
    expect(session.listen).toBeDefined();
    await broker.close();
  });

  it('WebSocket', async () => {
    const web = await freePort();
    const broker = await startMosquitto({ listener: [`listener ${web} 127.0.0.1`, 'protocol websockets', 'listener {port} 127.0.0.1'] });
    const line = lineTo(`ws://127.0.0.1:${web}/mqtt`, { p: { topic: 'p' } });
    const ear = listen(await opened(line), pointsOf(line));
    await expect
      .poll(
        nudged(
          () => broker.publish('p', '4'),
          () => ear.of('p').at(-1),
        ),
        soon,
      )
      .toBe(4);
    await broker.close();
    expect(await ear.ended).toBeInstanceOf(LinkLost);
  });
});

it('shares a bus by the endpoint and says no secret in it', () => {
  const options = driver.connection.parse({ url: 'mqtts://Broker.example/', username: 'me' });
  expect(driver.endpoint(options)).toBe('mqtts://broker.example:8883');
});
