/** What a gateway is told to run: settings after every check, with what was wrong beside it. */

import type { Device } from '../contract/device.ts';
import type { Connection, Driver } from '../contract/driver.ts';
import type { ConfigFault } from '../contract/fault.ts';
import type { Settings } from '../contract/settings.ts';

export interface PlannedConnection {
  connection: Connection;
  driver: Driver;
  /** Devices behind it that passed their checks. */
  devices: Device[];
  /** Templates of devices that are discovered. */
  templates?: readonly Device[];
  /** Checks a device that the far end announces as one of the settings would be; places of faults are relative to it. Absent where none is announced. */
  readDevice?: (raw: Readonly<Record<string, unknown>>) => { device: Device | undefined; faults: ConfigFault[] };
  /** Secrets of this connection by the names its driver declares. */
  secrets: Record<string, string>;
}

export interface Plan {
  connections: PlannedConnection[];
  settings: Settings;
  faults: ConfigFault[];
}
