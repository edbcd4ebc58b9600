/** How a room says something to the operator. Fields are flat; nothing secret and no raw device bytes go in. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
export type LogFields = Record<string, string | number | boolean | bigint | undefined>;

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
