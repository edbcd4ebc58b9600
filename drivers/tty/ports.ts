/** The serial ports of this machine. On Linux read from /sys and /dev/serial, because asking udev needs a program that a service may not find. */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { loadBinding } from './port.ts';

export interface PortInfo {
  path: string;
  /** The name under /dev/serial/by-id, the same after replugging. */
  stablePath?: string;
  /** Of a USB device, four hexadecimal digits each. */
  vendor?: string;
  product?: string;
  serial?: string;
  /** Which port of an adapter that has several. */
  interface?: number;
  /** What it calls itself. */
  name?: string;
}

/** Where the system is; another place in tests. */
export interface Roots {
  sys: string;
  dev: string;
}
const system: Roots = { sys: '/sys', dev: '/dev' };

/** Ports with hardware behind them, by path. */
export async function findPorts(roots: Roots = system): Promise<PortInfo[]> {
  const found = process.platform === 'linux' ? await portsOfLinux(roots) : await portsOfBinding();
  return found.sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function portsOfLinux({ sys, dev }: Roots): Promise<PortInfo[]> {
  const stable = await stableNames(join(dev, 'serial/by-id'));
  const names = await readdir(join(sys, 'class/tty')).catch(() => []);
  const found = await Promise.all(names.map((name) => portOf(sys, dev, name, stable)));
  return found.filter((port) => port !== undefined);
}

async function portOf(sys: string, dev: string, name: string, stable: ReadonlyMap<string, string>): Promise<PortInfo | undefined> {
  const folder = join(sys, 'class/tty', name);
  // Consoles and ptys have no device; a UART without hardware says type 0.
  const device = await realpath(join(folder, 'device')).catch(() => undefined);
  if (device === undefined || (await text(join(folder, 'type'))) === '0') return undefined;
  const path = join(dev, name);
  const stablePath = stable.get(await realpath(path).catch(() => path));
  const usb = await usbOf(device, sys);
  return { path, ...(stablePath === undefined ? {} : { stablePath }), ...usb };
}

/** The USB interface and device are a few folders up. */
async function usbOf(device: string, sys: string): Promise<Partial<PortInfo>> {
  const end = await realpath(sys).catch(() => sys);
  let place: string | undefined;
  for (let folder = device; folder.startsWith(end) && folder !== end; folder = join(folder, '..')) {
    place ??= await text(join(folder, 'bInterfaceNumber'));
    const vendor = await text(join(folder, 'idVendor'));
    if (vendor === undefined) continue;
    const [product = '', serial, name] = await Promise.all(['idProduct', 'serial', 'product'].map((file) => text(join(folder, file))));
    return {
      vendor,
      product,
      ...(serial === undefined ? {} : { serial }),
      ...(name === undefined ? {} : { name }),
      ...(place === undefined ? {} : { interface: Number.parseInt(place, 16) }),
    };
  }
  return {};
}

/** From where a name under by-id leads to the name. */
async function stableNames(folder: string): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const name of await readdir(folder).catch(() => [])) {
    const link = join(folder, name);
    const target = (await readlink(link).catch(() => undefined)) && (await realpath(link).catch(() => undefined));
    if (target) names.set(target, link);
  }
  return names;
}

async function text(file: string): Promise<string | undefined> {
  return (await readFile(file, 'utf8').catch(() => undefined))?.trim();
}

async function portsOfBinding(): Promise<PortInfo[]> {
  const ports = await (await loadBinding()).list();
  return ports.map(({ path, vendorId, productId, serialNumber, manufacturer }) => ({
    path,
    ...(vendorId === undefined ? {} : { vendor: vendorId.toLowerCase() }),
    ...(productId === undefined ? {} : { product: productId.toLowerCase() }),
    ...(serialNumber === undefined ? {} : { serial: serialNumber }),
    ...(manufacturer === undefined ? {} : { name: manufacturer }),
  }));
}
