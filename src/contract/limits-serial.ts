/** The bounds of serial ports and of what speaks over them; a part of `limits`, which says in which units. */
export const serialLimits = {
  /** One line of a serial device: unless said otherwise, and at most. */
  serialLineBytesDefault: 4 * 1024,
  serialLineBytesMax: 64 * 1024,
  /** Bytes put under checksums in vain, in search of a frame in one piece of noise: some ten milliseconds. Then what came is thrown away at once. */
  serialSearchBytesMax: 8 * 1024 * 1024,
  /** What comes this soon after opening may be the rest of a line whose beginning was missed. */
  serialSettleMs: 100,
  /** Steps of a start-up dialogue; opening is given `openTimeoutMs`. */
  serialStartStepsMax: 20,
  serialStartRetriesMax: 20,
  /** Times that a question is asked again; each costs a time-out and the rest after it, in which nobody else on the line is asked. */
  serialReadRetriesMax: 5,
  /** Longest rest after opening before the dialogue's first question: the dialogue itself has to fit into what is left of `openTimeoutMs`. */
  serialStartRestMaxMs: 2_000,
  /** Errors read out of an instrument's queue; SCPI instruments keep 20 or 30. */
  serialErrorQueueMax: 40,
  /** Characters of what is sent that are shown to people. */
  serialShownMax: 80,
  /** What the line behind a device server is taken to run at, where nobody says: it only adds to how long sending may take. */
  serialUnknownBaudRate: 9_600,
  /** Bytes that a probe looks at for one speed: some hundred lines. And the silence that divides them. */
  serialProbeBytesMax: 32 * 1024,
  serialProbeGapMs: 15,
  /** How long DTR is down to start a board anew; an Arduino needs a few milliseconds, an adapter's driver some more. */
  ttyDtrPulseMs: 250,
  /** Reaching a device server, and its answer to one setting (RFC 2217): together less than `openTimeoutMs`. */
  tcpConnectMs: 3_000,
  rfc2217AnswerMs: 1_500,
  /** Serial ports: times in a row that a port is said to be gone while a read of it says that nothing came: then it is believed. */
  ttyAlarmsMax: 3,
  /** A serial port that takes no byte for this long (flow control, a stuck adapter) is closed and opened anew. */
  ttyWriteMs: 5_000,
  /** Processes looked at to say who holds a serial port. */
  ttyHolderLookMax: 2_000,
} as const;
