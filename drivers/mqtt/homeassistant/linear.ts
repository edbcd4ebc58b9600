/** Templates that take a value from a place and calculate with it: the value × scale + offset. */
import { type Expression, notUnderstood, parseState } from './jinja.ts';

export interface Linear {
  /** A JSON path; undefined for the whole payload. */
  path: string | undefined;
  scale: number;
  offset: number;
  decimals?: number;
  /** A message without the place says nothing. */
  optional: boolean;
  /** It was made a number. */
  isNumber: boolean;
  /** Towards zero, to a whole number. What is shown is not cut: more than that is no harm; what is compared is. */
  isCut?: boolean;
  /** Capital and small letters count the same. */
  anyCase?: boolean;
}

type Operand = Linear | number;

/** Reads a template of a state; throws an Error if it is more than this. */
export function readLinear(template: string): Linear {
  const linear = linearOf(parseState(template));
  if (!linear) throw notUnderstood(template);
  return linear;
}

export function linearOf(expression: Expression): Linear | undefined {
  const operand = operandOf(expression);
  return typeof operand === 'object' ? operand : undefined;
}

/** As it is: nothing is calculated. */
export const isPlain = ({ scale, offset, decimals }: Linear): boolean => scale === 1 && offset === 0 && decimals === undefined;

function operandOf(expression: Expression): Operand | undefined {
  switch (expression.kind) {
    case 'constant':
      return typeof expression.value === 'number' ? expression.value : undefined;
    case 'place':
      return { path: expression.path, scale: 1, offset: 0, optional: !expression.sure, isNumber: false };
    case 'calculated':
      return calculated(expression.sign, operandOf(expression.left), operandOf(expression.right));
    case 'filtered': {
      const of = linearOf(expression.of);
      return of && filtered(of, expression.name, expression.given);
    }
    default:
      return undefined;
  }
}

function calculated(sign: '+' | '-' | '*' | '/', left: Operand | undefined, right: Operand | undefined): Operand | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (typeof left === 'number' && typeof right === 'number') {
    const made = sign === '+' ? left + right : sign === '-' ? left - right : sign === '*' ? left * right : left / right;
    return Number.isFinite(made) ? made : undefined;
  }
  if (typeof left === 'object' && typeof right === 'object') return undefined;
  if (sign === '+' || sign === '-') {
    const direction = sign === '+' ? 1 : -1;
    if (typeof left === 'object') return moved(left, 1, direction * Number(right));
    return typeof right === 'object' ? moved(right, direction, left) : undefined;
  }
  // A number divided by the value is no straight line.
  if (sign === '/') return typeof left === 'object' && right !== 0 ? scaled(left, 1 / Number(right)) : undefined;
  return typeof left === 'object' ? scaled(left, Number(right)) : typeof right === 'object' ? scaled(right, left) : undefined;
}

function scaled(value: Linear, by: number): Linear | undefined {
  const made = by === 0 ? undefined : moved(value, by, 0);
  return made && { ...made, offset: value.offset * by };
}

function moved({ isCut: _cut, ...value }: Linear, by: number, offset: number): Linear | undefined {
  // Rounded first and calculated with afterwards is another number than the other way round.
  if (value.decimals !== undefined) return undefined;
  return { ...value, scale: value.scale * by, offset: value.offset * by + offset, isNumber: true };
}

function filtered(value: Linear, name: string, given: readonly Expression[]): Linear | undefined {
  switch (name) {
    case 'float':
      return { ...value, isNumber: true };
    case 'int':
      return { ...value, isNumber: true, isCut: true };
    case 'round': {
      const [first = { kind: 'constant', value: 0 }, method] = given;
      const decimals = first.kind === 'constant' ? first.value : undefined;
      if (method !== undefined || typeof decimals !== 'number' || !Number.isInteger(decimals) || decimals < 0 || decimals > 15)
        return undefined;
      return { ...value, decimals, isNumber: true };
    }
    case 'default':
    case 'd':
    case 'is_defined':
      return { ...value, optional: true };
    case 'lower':
    case 'upper':
    case 'capitalize':
    case 'title':
      return { ...value, anyCase: true };
    case 'string':
    case 'trim':
    // Longer texts than a state of Home Assistant holds are kept whole.
    case 'truncate':
      return value;
    default:
      return undefined;
  }
}

/** Whether a command's arithmetic takes back that of the state: then both are one point with a scale. */
export function isInverse(state: Pick<Linear, 'scale' | 'offset'>, command: { scale: number; offset: number }): boolean {
  const near = (one: number, other: number) => Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(one), Math.abs(other));
  return near(command.scale * state.scale, 1) && near(command.scale * state.offset + command.offset, 0);
}
