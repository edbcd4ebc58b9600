/** What is wrong with a line although each part of it is well formed. Pure. */
import type { Line } from '../../src/contract/driver.ts';
import type { ConfigFault } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Address } from './address.ts';
import { isBits } from './reference.ts';
import { type ConnectionOptions, type DeviceOptions, isLine } from './settings.ts';

/** Addresses of a serial line (Modbus over Serial Line V1.02 §2.2): 0 is everybody and never answers, 248 and up are reserved. */
const serialUnitMax = 247;

export function check(line: Line<ConnectionOptions, DeviceOptions, Address>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const error = (place: string, message: string) => faults.push({ severity: 'error', place, message });
  const { transport, maxInFlight, closeAfterPoll } = line.connection.options;
  const serial = isLine(transport);
  if (serial) {
    if (maxInFlight > 1) error('connection.maxInFlight', `is ${maxInFlight}; a serial line carries one request at a time, allowed is 1`);
    if (closeAfterPoll) error('connection.closeAfterPoll', `is true for ${transport.type}; allowed only for tcp and tls`);
    if (transport.type === 'rtu' && transport.dataBits !== 8)
      error('connection.transport.dataBits', `is ${transport.dataBits}; RTU sends whole bytes, allowed is 8`);
  }
  for (const [d, device] of line.devices.entries()) {
    const { unitId, registersPerRequest, broadcast, neverRead } = device.address;
    if (broadcast && (!serial || unitId !== 0))
      error(
        `devices[${d}].address.broadcast`,
        `is true for unitId ${unitId} over ${transport.type}; allowed only for unitId 0 on a serial line`,
      );
    if (serial && !(broadcast && unitId === 0) && (unitId < 1 || unitId > serialUnitMax)) {
      error(
        `devices[${d}].address.unitId`,
        `is ${unitId}; on a serial line 0 is a broadcast nobody answers (then set broadcast), allowed is 1 to ${serialUnitMax}`,
      );
    }
    for (const [p, { address, access }] of device.points.entries()) {
      const place = `devices[${d}].points[${p}]`;
      const writes = access !== 'read';
      const bits = isBits(address.table);
      if (broadcast && unitId === 0 && access !== 'write')
        error(`${place}.access`, `is ${access} for a broadcast, which nobody answers; allowed is write`);
      const barred = access === 'write' ? undefined : neverRead.find((range) => overlaps(range, address));
      if (barred)
        error(
          `${place}.address`,
          `lies in devices[${d}].address.neverRead (${barred.table} ${barred.first} to ${barred.last}); allowed is access write, or another range`,
        );
      if (!bits && address.width > registersPerRequest) {
        error(
          `${place}.address`,
          `takes ${address.width} registers, but devices[${d}].address.registersPerRequest is ${registersPerRequest}; a value is not divided`,
        );
      }
      if (writes && !bits && address.width > limits.modbusWriteRegistersMax) {
        error(
          `${place}.address.length`,
          `is ${address.width} for a point that is written; one request writes at most ${limits.modbusWriteRegistersMax} registers`,
        );
      }
    }
  }
  return faults;
}

function overlaps({ table, first, last }: { table: string; first: number; last: number }, address: Address): boolean {
  return table === address.table && address.register <= last && address.register + address.width > first;
}
