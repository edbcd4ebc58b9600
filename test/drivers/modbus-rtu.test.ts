/** What every driver must do, over RTU on a serial line: the far end is Python on a pty, with its own checksum. */
import { modbus } from '../../drivers/modbus/driver.ts';
import type { Driver } from '../../src/contract/driver.ts';
import { portName } from '../far/port.ts';
import { startModbus } from './modbus-far-end.ts';
import { driverSuite } from './suite.ts';

driverSuite('modbus rtu', modbus as Driver, () => {
  const path = portName();
  return startModbus(
    path,
    () => path,
    () => ({ transport: { type: 'rtu', path, baudRate: 115_200, turnaround: '50ms' }, timeout: '2s' }),
    { program: 'modbus_rtu.py' },
  );
});
