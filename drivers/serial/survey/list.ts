/** Which serial ports are there, what is behind them, and who holds them. */
import type { Finding, Survey } from '../../../src/contract/driver.ts';
import { holderOf } from '../../tty/holder.ts';
import { findPorts, type PortInfo, type Roots } from '../../tty/ports.ts';

export async function listPorts(survey: Survey, signal: AbortSignal, roots?: Roots): Promise<void> {
  const ports = await findPorts(roots);
  for (const [index, port] of ports.entries()) {
    signal.throwIfAborted();
    survey.progress(index, ports.length, `looking at ${port.path}`);
    survey.found(finding(port, await holderOf(port.path)));
  }
  survey.progress(
    ports.length,
    ports.length,
    ports.length === 0 ? 'this machine has no serial port, or this service may not see it' : 'done',
  );
}

function finding(port: PortInfo, holder: string | undefined): Finding {
  const { path, stablePath, vendor, product, serial, name } = port;
  const what = name ?? (vendor === undefined ? 'a serial port' : `USB device ${vendor}:${product ?? ''}`);
  const use = holder === undefined ? 'free, as far as can be seen' : `in use by ${holder}`;
  return {
    id: path,
    kind: 'port',
    text: `${path}: ${what}, ${use}`,
    values: {
      path,
      stablePath: stablePath ?? null,
      name: name ?? null,
      vendor: vendor ?? null,
      product: product ?? null,
      serial: serial ?? null,
      holder: holder ?? null,
    },
    // By a name that stays: another device plugged in first would take the other.
    proposes: { connection: { path: stablePath ?? path } },
  };
}
