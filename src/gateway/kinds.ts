import type { Point } from '../contract/device.ts';
import type { Shape } from '../contract/driver.ts';
import type { ColumnKind, Value } from '../contract/sample.ts';

const exactMax = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * How the values of a point are kept. Whole numbers of 64 bits stay exact as long as nobody scales them; every other number is a double.
 * Undefined for a place that holds anything: then each value decides (`kindOfValue`).
 */
export function kindOf(point: Pick<Point, 'scale' | 'offset'>, shape: Shape): ColumnKind | undefined {
  switch (shape.type) {
    case 'integer':
      if (point.scale !== 1 || point.offset !== 0) return 'double';
      if (shape.min !== undefined && shape.min < -exactMax) return 'int64';
      return shape.max !== undefined && shape.max > exactMax ? 'uint64' : 'double';
    case 'float32':
      return 'double';
    case 'float64':
      return shape.exact && point.scale === 1 && point.offset === 0 ? undefined : 'double';
    case 'boolean':
    case 'string':
      return shape.type;
    case 'any':
      return undefined;
  }
}

/** For places of shape `any`; undefined for null, which says nothing about the kind. */
export function kindOfValue(value: Value): ColumnKind | undefined {
  switch (typeof value) {
    case 'number':
      return 'double';
    case 'bigint':
      return value < 0n || BigInt.asIntN(64, value) === value ? 'int64' : 'uint64';
    case 'boolean':
      return 'boolean';
    case 'string':
      return 'string';
    default:
      return undefined;
  }
}
