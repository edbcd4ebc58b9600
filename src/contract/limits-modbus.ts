/** The bounds of Modbus; a part of `limits`, which says in which units. */
export const modbusLimits = {
  /** Modbus: registers and bits in one read (Modbus Application Protocol V1.1b3 §6.1-6.4). */
  modbusRegistersMax: 125,
  modbusBitsMax: 2_000,
  /** Registers in one write (§6.12). */
  modbusWriteRegistersMax: 123,
  /** Modbus TCP: requests before their answers; devices that take more than a few are rare (facts/measurements.md §5: 8 give 7 times one). */
  modbusInFlightMax: 16,
  /** Transaction ids of requests that were given up and may still be answered; they are not used again so that a late answer hits nothing. */
  modbusGivenUpMax: 1_024,
  /** The points of a block that was refused are read one by one for at most this long, because commands wait meanwhile. */
  modbusApartMs: 10_000,
  /** A half-open TCP link looks like silence: after this many requests and this long without a single byte it is opened anew. */
  modbusSilentRequestsMax: 5,
  modbusSilentMs: 15_000,
  /** Modbus TCP: what is taken from a socket at once: all answers in flight of the longest frame, 260 bytes; what is more comes next. */
  modbusReceiveBytes: 4_160,
  /** Serial lines: the longest quiet time after an answer that did not come in time; more would keep commands waiting too long. */
  turnaroundMaxMs: 10_000,
  /** Silence after which what has come is taken for all that comes: longer than the 16 ms a USB adapter may hold bytes back. */
  rtuGapMs: 50,
  /** Bytes of an unfinished answer on a line: two frames of 513 characters, the longest of ASCII (Modbus over Serial Line V1.02 §2.5.2.1); of a babbling line only the newest count. */
  modbusHeldBytesMax: 1_026,
  /** A socket of `closeAfterPoll` is closed when nobody has asked for this long: polls that are due together follow one another faster. */
  modbusIdleCloseMs: 100,
  /** How long nobody may send after a broadcast, so that every device has done it (Modbus over Serial Line V1.02 §2.4.1: 100 to 200 ms). */
  modbusBroadcastMs: 200,
  /** Ranges a connection remembers as refused (exceptions 2 and 3): some 40 bytes each of the driver's memory. The oldest goes. */
  modbusRefusedMax: 500,
  /** After this long a refused range is tried again: devices are replaced and get new firmware. */
  modbusRefusedMs: 86_400_000,
  /** Registers a probe reads, and readings it makes of one place: what a person can look through. */
  modbusProbeRegistersMax: 64,
  /** SunSpec: models of one device that are walked through; a chain that leads nowhere ends here. */
  sunspecModelsMax: 64,
  /** Writes of one named action: each may take its timeout, and commands behind it wait. */
  modbusActionWritesMax: 16,
  /** How long a line that should be quiet is waited for before the request is given up. */
  rtuBabbleMs: 2_000,
} as const;
