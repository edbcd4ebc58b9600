/** What a place can hold, and how many registers that takes. */
export const types = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float16',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
  'string',
] as const;
export type Type = (typeof types)[number];

/** Registers a value takes; a string says so itself, a bool in a bit table takes one bit. */
export const registersOf: Record<Exclude<Type, 'string'>, number> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 1,
  uint16: 1,
  float16: 1,
  bcd16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  bcd32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
};

export const wholeTypes: readonly Type[] = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'bcd16', 'bcd32'];
export const maskedTypes: readonly Type[] = ['uint16', 'uint32', 'uint64'];
export const halfTypes: readonly Type[] = ['int8', 'uint8', 'string'];
