/** What every driver must do, over each transport of Modbus; RTU on a serial line is in modbus-rtu.test.ts. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { portName } from '../far/port.ts';
import { buildLine, makeHost } from './line.ts';
import { startModbus } from './modbus-far-end.ts';
import { driverSuite, type FarEnd } from './suite.ts';

const driver = modbus as Driver;
const host = '127.0.0.1';
const timeout = '10s';

driverSuite('modbus', driver, () =>
  startModbus(
    0,
    (port) => port,
    (port) => ({ transport: { type: 'tcp', host, port }, timeout }),
  ),
);

driverSuite('modbus, closed between polls', driver, () =>
  startModbus(
    0,
    (port) => port,
    (port) => ({ transport: { type: 'tcp', host, port }, timeout, closeAfterPoll: true }),
  ),
);

for (const kind of ['rtu', 'ascii'] as const) {
  driverSuite(`modbus ${kind} over tcp`, driver, () =>
    startModbus(
      `${kind}:0`,
      (port) => `${kind}:${port}`,
      (port) => ({ transport: { type: `${kind}-over-tcp`, host, port, turnaround: '20ms' }, timeout }),
    ),
  );
}

driverSuite('modbus ascii', driver, () => {
  const path = portName();
  return startModbus(
    `pty:${path}`,
    () => `pty:${path}`,
    () => ({ transport: { type: 'ascii', path, baudRate: 115_200, turnaround: '20ms' }, timeout }),
  );
});

const folder = mkdtempSync(join(tmpdir(), 'fieldgate-tls-'));
const at = (name: string) => join(folder, name);
const pem = (name: string) => readFileSync(at(name), 'utf8');
const passphrase = 'open sesame';

/** A CA, a server certificate and two client certificates: one of this CA with a key under a pass phrase, one nobody knows. */
async function makeCertificates(): Promise<void> {
  const run = (...words: string[]) => promisify(execFile)('openssl', words);
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  for (const name of ['ca', 'stranger'])
    await run(
      'req',
      '-x509',
      ...fresh,
      '-nodes',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      at(`${name}.key`),
      '-out',
      at(`${name}.pem`),
    );
  for (const [name, lock] of [
    ['server', ['-nodes']],
    ['client', ['-passout', `pass:${passphrase}`]],
  ] as const) {
    const extra = ['-addext', `subjectAltName=DNS:${name}.test`];
    await run('req', ...fresh, ...lock, '-subj', `/CN=${name}.test`, ...extra, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
    const ca = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-copy_extensions', 'copy'];
    await run('x509', '-req', '-in', at(`${name}.csr`), ...ca, '-days', '1', '-out', at(`${name}.pem`));
  }
}
const certificates = makeCertificates();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startTls(): Promise<FarEnd> {
  await certificates;
  return startModbus(
    `tls:0:${folder}`,
    (port) => `tls:${port}:${folder}`,
    (port) => ({ transport: { type: 'tls', host, port, serverName: 'server.test' }, timeout }),
    { secrets: { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key'), passphrase } },
  );
}

driverSuite('modbus tls', driver, startTls);

describe('Modbus inside TLS', () => {
  let far: FarEnd;
  let port: number;
  beforeAll(async () => {
    far = await startTls();
    port = Number((far.raw.connection.transport as { port: number }).port);
  });
  afterAll(() => far.close());

  async function attempt(transport: Record<string, unknown>, secrets: Record<string, string>): Promise<string> {
    const raw = { ...far.raw, connection: { transport: { type: 'tls', host, port, ...transport }, timeout: '2s' } };
    const line = buildLine(driver, raw);
    const session = await driver.open(line, makeHost(secrets), AbortSignal.timeout(1_500)).catch((error: Error) => error);
    if (session instanceof Error) return session.message;
    try {
      // With TLS 1.3 the server looks at our certificate after the connection stands.
      const [request] = session.plan?.(line.devices[0]?.points ?? []) ?? [];
      return request ? ((await session.read?.(request, AbortSignal.timeout(5_000)))?.[0]?.reason ?? 'nothing') : 'no plan';
    } catch (error) {
      return (error as Error).message;
    } finally {
      await session.close();
    }
  }

  it('says what is wrong with certificates and keys, and never the key', async () => {
    const good = { ca: pem('ca.pem'), cert: pem('client.pem'), key: pem('client.key'), passphrase };
    const named = { serverName: 'server.test' };
    expect(await attempt(named, good)).toBe('');
    expect(await attempt({}, good)).toMatch(/for another host name \(set "serverName"/);
    expect(await attempt(named, { ...good, ca: pem('stranger.pem') })).toMatch(/unknown CA|put the CA into the secret "ca"/);
    expect(await attempt({ ...named, verify: false }, { ...good, ca: pem('stranger.pem') })).toBe('');
    expect(await attempt(named, { ca: good.ca })).toMatch(/asks for a certificate of ours|does it accept our certificate/);
    expect(await attempt(named, { ca: good.ca, cert: pem('stranger.pem'), key: pem('stranger.key') })).toMatch(
      /does not accept our certificate|asks for a certificate|does it accept our certificate/,
    );
    const wrong = await attempt(named, { ...good, passphrase: 'close sesame' });
    expect(wrong).toMatch(/secrets for TLS cannot be used/);
    expect(wrong).not.toMatch(/sesame|PRIVATE/);
    const plain = await startModbus(
      0,
      (again) => again,
      (listening) => ({ transport: { type: 'tcp', host, port: listening } }),
    );
    try {
      const other = Number((plain.raw.connection.transport as { port: number }).port);
      expect(await attempt({ ...named, port: other }, good)).toMatch(/TLS never began: is it the right port/);
    } finally {
      await plain.close();
    }
  });
});
