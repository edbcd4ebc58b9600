/** What a broker is told with CONNECT, read by a parser in Python that was written from the standard. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificates } from '../far/certificates.ts';
import { type FarProgram, startProgram, startPython } from '../far/python.ts';
import { makeHost } from './line.ts';
import { lineTo, open } from './mqtt-session.ts';

async function told(far: FarProgram, connection: Record<string, unknown>, secrets: Record<string, string> = {}, scheme = 'mqtt') {
  onTestFinished(() => far.kill());
  const session = await open(lineTo(`${scheme}://127.0.0.1:${far.port}`, {}, connection), makeHost(secrets));
  const { value } = await far.ask({});
  await session.close();
  return value;
}

const will = { topic: 'gw/state', payload: 'lost', qos: 2, retain: false, delay: '7s' };

describe('CONNECT', () => {
  it('of MQTT 5 has all that the settings say', async () => {
    const said = await told(
      await startPython('mqtt_connect.py'),
      {
        clientId: 'keeper',
        clean: false,
        sessionExpiry: '90s',
        receiveMaximum: 7,
        topicAliasMaximum: 12,
        userProperties: { site: 'north', line: 'Zürich' },
        keepalive: '20s',
        username: 'ada',
        will,
      },
      { password: 'sécret' },
    );
    expect(said).toEqual({
      packet: 0x10,
      protocol: 'MQTT',
      version: 5,
      reserved: 0,
      clean: false,
      keepalive: 20,
      clientId: 'keeper',
      user: 'ada',
      password: 'sécret',
      will: { topic: 'gw/state', payload: 'lost', qos: 2, retain: false, properties: { willDelay: 7 } },
      properties: {
        sessionExpiry: 90,
        receiveMaximum: 7,
        topicAliasMaximum: 12,
        maximumPacketSize: 1_048_576,
        user: [
          ['site', 'north'],
          ['line', 'Zürich'],
        ],
      },
      left: 0,
    });
  });

  it('of MQTT 5 asks for no session and no aliases where none are wanted', async () => {
    const said = await told(await startPython('mqtt_connect.py'), { topicAliasMaximum: 0 });
    expect(said).toMatchObject({ clean: true, clientId: expect.stringMatching(/^fieldgate-[0-9a-f]{12}$/) });
    const { properties } = said as { properties: Record<string, unknown> };
    expect(properties).toEqual({ receiveMaximum: 1_000, maximumPacketSize: 1_048_576 });
  });

  it('of MQTT 3.1.1 has nothing of MQTT 5', async () => {
    const said = await told(await startPython('mqtt_connect.py'), {
      protocolVersion: '3.1.1',
      clientId: 'old',
      userProperties: { a: 'b' },
      will,
    });
    expect(said).toEqual({
      packet: 0x10,
      protocol: 'MQTT',
      version: 4,
      reserved: 0,
      clean: true,
      keepalive: 15,
      clientId: 'old',
      will: { topic: 'gw/state', payload: 'lost', qos: 2, retain: false },
      left: 0,
    });
  });

  it('over TLS the first protocol both know is chosen (ALPN), none if none is offered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fieldgate-alpn-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const { ca, of } = await makeCertificates('broker.test');
    await writeFile(join(folder, 'cert'), of['broker.test'].cert);
    await writeFile(join(folder, 'key'), of['broker.test'].key);
    const script = fileURLToPath(new URL('../far/mqtt_connect.py', import.meta.url));
    const start = () => startProgram('mqtt_connect.py', 'python3', ['-u', script, '0', join(folder, 'cert'), join(folder, 'key')]);
    const tls = (alpn: string[]) => ({ tls: { serverName: 'broker.test', alpn } });
    expect(await told(await start(), tls(['h2', 'mqtt']), { ca }, 'mqtts')).toMatchObject({ alpn: 'mqtt' });
    expect(await told(await start(), tls(['x-amzn-mqtt-ca']), { ca }, 'mqtts')).toMatchObject({ alpn: 'x-amzn-mqtt-ca' });
    expect(await told(await start(), tls([]), { ca }, 'mqtts')).toMatchObject({ alpn: null });
  });
});
