/** Raw values in settings, as people and manuals write them: decimal, or hexadecimal as the bits that are in the device. */
import type { PointConfig } from '../../contract/device.ts';
import type { Shape } from '../../contract/driver.ts';
import { show } from './phrases.ts';

type Fields = Pick<PointConfig, 'enum' | 'invalid'>;
type Say = (field: 'enum' | 'invalid', tail: string, message: string) => void;

/** `enum` and `invalid` in one spelling, the decimal one, so that everything after finds a raw value by its digits. */
export function respelt(config: Fields, shape: Shape, fault: Say, warn: Say): Fields {
  const names: Record<string, string> = {};
  const written = new Map<string, string>();
  for (const [raw, name] of Object.entries(config.enum ?? {})) {
    const spelling = spellingOf(raw, shape);
    if (spelling === undefined) {
      fault('enum', `[${show(raw)}]`, `is no raw value of this point; allowed are ${allowed(shape)}`);
      continue;
    }
    const first = written.get(spelling);
    if (first !== undefined)
      fault('enum', `[${show(raw)}]`, `is the raw value ${spelling}, as ${show(first)} is; allowed is one name for it`);
    written.set(spelling, raw);
    names[spelling] = name;
  }
  const invalid = config.invalid.map((raw, index) => {
    if (typeof raw === 'boolean') return raw;
    const spelling = spellingOf(String(raw), shape);
    if (spelling !== undefined) return typeof raw === 'number' ? raw : spelling;
    warn('invalid', `[${index}]`, `is ${show(raw)}, which this point never reads; allowed are ${allowed(shape)}`);
    return raw;
  });
  return { ...(config.enum ? { enum: names } : {}), invalid };
}

/** Undefined if the place cannot hold it. */
function spellingOf(text: string, shape: Shape): string | undefined {
  switch (shape.type) {
    case 'integer': {
      const whole = wholeOf(text.trim(), shape);
      const fits =
        whole !== undefined && (shape.min === undefined || whole >= shape.min) && (shape.max === undefined || whole <= shape.max);
      return fits ? String(whole) : undefined;
    }
    case 'float32':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? String(Number(text) + 0) : undefined;
    default:
      return text;
  }
}

function wholeOf(text: string, { min = 0n, max }: Shape): bigint | undefined {
  if (/^[+-]?\d{1,40}$/.test(text)) return BigInt(text.replace('+', ''));
  const hex = /^(-?)(0x[0-9a-f]{1,16})$/i.exec(text);
  if (!hex?.[2]) return undefined;
  const bits = BigInt(hex[2]);
  if (hex[1]) return -bits;
  // 0x8000 in a signed register is what its bits mean: -32768.
  const values = max === undefined ? 0n : 2n * (max + 1n);
  return min < 0n && max !== undefined && bits > max && bits < values ? bits - values : bits;
}

function allowed(shape: Shape): string {
  if (shape.type !== 'integer') return 'numbers';
  return `whole numbers${shape.min === undefined || shape.max === undefined ? '' : ` from ${shape.min} to ${shape.max}`}, decimal or as 0x…`;
}
