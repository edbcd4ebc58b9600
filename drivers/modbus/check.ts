/** What is wrong with a line although each part of it is well formed. Pure. */
import type { Line } from '../../src/contract/driver.ts';
import type { ConfigFault } from '../../src/contract/fault.ts';
import { limits } from '../../src/contract/limits.ts';
import type { Address } from './address.ts';
import { isBits } from './plan.ts';
import type { ConnectionOptions, DeviceOptions } from './settings.ts';

/** Addresses of a serial line (Modbus over Serial Line V1.02 §2.2): 0 is everybody and never answers, 248 and up are reserved. */
const serialUnitMax = 247;

export function check(line: Line<ConnectionOptions, DeviceOptions, Address>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const error = (place: string, message: string) => faults.push({ severity: 'error', place, message });
  const { transport, maxInFlight } = line.connection.options;
  const serial = transport.type === 'rtu';
  if (serial) {
    if (maxInFlight > 1) error('connection.maxInFlight', `is ${maxInFlight}; a serial line carries one request at a time, allowed is 1`);
    if (transport.dataBits !== 8) error('connection.transport.dataBits', `is ${transport.dataBits}; RTU sends whole bytes, allowed is 8`);
  }
  for (const [d, device] of line.devices.entries()) {
    const { unitId, registersPerRequest } = device.address;
    if (serial && (unitId < 1 || unitId > serialUnitMax)) {
      error(
        `devices[${d}].address.unitId`,
        `is ${unitId}; on a serial line 0 is a broadcast nobody answers, allowed is 1 to ${serialUnitMax}`,
      );
    }
    for (const [p, { address, access }] of device.points.entries()) {
      const place = `devices[${d}].points[${p}]`;
      const writes = access !== 'read';
      const bits = isBits(address.table);
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
