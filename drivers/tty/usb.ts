/** A port named by the USB device behind it, whatever the system calls it today. */
import { findPorts, type PortInfo, type Roots } from './ports.ts';

export interface UsbDevice {
  vendor: string;
  product: string;
  serial?: string | undefined;
  interface?: number | undefined;
}

/** `usb:2341:0043`, with the serial number and the interface where they are given. */
export function usbName({ vendor, product, serial, interface: place }: UsbDevice): string {
  const numbers = `usb:${vendor}:${product}`.toLowerCase();
  return `${numbers}${serial === undefined ? '' : `:${serial}`}${place === undefined ? '' : `#${place}`}`;
}

/** Rejects in words if it is not plugged in, or if several are. */
export async function findUsb(usb: UsbDevice | undefined, roots?: Roots): Promise<string> {
  if (!usb) throw new Error('neither a path nor a USB device is given');
  const ports = await findPorts(roots);
  const fits = ports.filter(
    ({ vendor, product, serial, interface: place }) =>
      vendor?.toLowerCase() === usb.vendor.toLowerCase() &&
      product?.toLowerCase() === usb.product.toLowerCase() &&
      (usb.serial === undefined || serial === usb.serial) &&
      (usb.interface === undefined || place === usb.interface),
  );
  const [first, second] = fits;
  if (first && !second) return first.path;
  if (first)
    throw new Error(`${usbName(usb)} fits ${fits.length} ports: ${fits.map(describe).join(', ')}; say which by serial or interface`);
  const others = ports.filter(({ vendor }) => vendor !== undefined).map(describe);
  throw new Error(`${usbName(usb)} is not plugged in; there ${others.length === 0 ? 'is no USB port' : `are ${others.join(', ')}`}`);
}

function describe({ path, vendor = '', product = '', serial, interface: place }: PortInfo): string {
  return `${path} (${usbName({ vendor, product, serial, interface: place })})`;
}
