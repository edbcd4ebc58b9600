/** Every bound of the product, a named number with its reason. Durations in milliseconds, sizes in bytes. */
export const limits = {
  /** Settings are sent to every browser (DESIGN §5); a larger plant names files with `include`. */
  settingsBytesMax: 256 * 1024,
  /** Ids appear in URLs, labels and channels. */
  idLengthMax: 64,
  /** RE2 is linear in the input, its automaton is not free: a selector longer than this is a mistake. */
  patternLengthMax: 512,
  /** More rows than this are cut with a notice (DESIGN §6); 1 M samples are 16 MB of Arrow. */
  rowsPerQueryMax: 1_000_000,
  /** A wildcard over a large plant: more frames than this are cut with a notice, a browser cannot draw them. */
  seriesPerQueryMax: 1_000,
  /** Buckets of an aggregate query per series: four times a 4K screen's width. */
  bucketsPerSeriesMax: 16_384,
  /** JSON bodies of resources are a handful of fields; config/check may carry whole settings. */
  bodyBytesMax: 1024 * 1024,
  /** gRPC messages we accept; the Go SDK's server takes 16 MiB too (facts/grafana.md §2.8). */
  requestBytesMax: 16 * 1024 * 1024,
  /** The host reads stderr in 64 KiB lines; a longer line is not parsed as JSON (facts/grafana.md §1.6). */
  logLineBytesMax: 48 * 1024,
  /** Samples the hub holds for one live subscriber before it drops the oldest and counts them. */
  hubQueueMax: 10_000,
  /** Samples waiting for a commit before new ones are refused and counted: 1 M samples are about 100 MB. */
  storeQueueMax: 1_000_000,
  /** Longest wait of a sample for its commit unless the settings say otherwise (DESIGN §9). */
  flushIntervalMs: 1_000,
  /** Requests waiting on one bus; a poll that is still waiting when it is due again is counted as overrun, not queued twice. */
  busQueueMax: 1_000,
  /** One request's answer, unless the connection says otherwise. */
  requestTimeoutMs: 1_000,
  /** Opening a connection: name look-up, TCP, TLS and the protocol's greeting. */
  openTimeoutMs: 5_000,
  /** Reconnect back-off: the first wait, the longest, and the share of it that is random so that a site does not return in step. */
  backoffFirstMs: 500,
  backoffMaxMs: 30_000,
  backoffJitter: 0.3,
  /** Requests without an answer until a unit is set aside (half-open retry), so that it cannot starve the others. */
  setAsideAfter: 3,
  setAsideFirstMs: 2_000,
  setAsideMaxMs: 60_000,
  /** The shortest poll interval a point may ask for. */
  pollIntervalMinMs: 10,
  pollIntervalDefaultMs: 1_000,
  /** A device time further in the future than this is replaced by arrival (DESIGN §5). */
  clockAheadMaxMs: 60_000,
  /** A command waits at most this long in the queue unless it says otherwise (DESIGN §8). */
  commandExpiryMs: 10_000,
  /** The longest a command request may block its caller; then 202. */
  commandWaitMaxMs: 30_000,
  commandWaitDefaultMs: 5_000,
  /** How long a read-back may take to agree, and the pause between two looks. */
  verifyTimeoutMs: 3_000,
  verifyPauseMs: 100,
  /** Commands of one gateway that are not ended yet; one more is refused with 429. */
  commandsOpenMax: 256,
  /** MQTT payloads larger than this are refused with reason `decode`: a photo is not telemetry. */
  payloadBytesMax: 64 * 1024,
  /** MQTT broker topic limit (MQTT 5 §1.5.4: a UTF-8 string of at most 65,535 bytes); more than this is no device. */
  topicLengthMax: 1_024,
  /** Live packets per second and channel; points faster than that are reduced to min and max within a packet. */
  livePacketsPerSecondMax: 10,
  /** Remembered live channels of one gateway; the least recently used is dropped. */
  channelsMax: 1_000,
  /** Modbus: registers and bits in one read (Modbus Application Protocol V1.1b3 §6.1-6.4). */
  modbusRegistersMax: 125,
  modbusBitsMax: 2_000,
  /** How long a gateway lives without a request naming it, until `resume_for` says otherwise. */
  instancesMax: 100,
  /** After a Shutdown call everything is flushed and closed within this; the host kills at 2 s (facts/grafana.md §1.5). */
  shutdownMs: 900,
} as const;
