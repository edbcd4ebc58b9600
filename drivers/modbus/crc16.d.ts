/** A part of modbus-serial without types of its own. */
declare module 'modbus-serial/utils/crc16.js' {
  function crc16(bytes: Uint8Array): number;
  export = crc16;
}
