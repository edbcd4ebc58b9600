/** Every protocol, one line each. */
import type { Driver } from '../src/contract/driver.ts';
import { modbus } from './modbus/driver.ts';
import { mqtt } from './mqtt/driver.ts';
import { serial } from './serial/driver.ts';

export const drivers: readonly Driver[] = [modbus, mqtt, serial];
