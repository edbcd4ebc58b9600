import { modbusLimits } from './limits-modbus.ts';
import { mqttLimits } from './limits-mqtt.ts';
import { serialLimits } from './limits-serial.ts';
import { storeLimits } from './limits-store.ts';

/** Every bound of the product, a named number with its reason. Durations in milliseconds, sizes in bytes. */
export const limits = {
  /** Settings are sent to every browser (DESIGN §5); a larger plant names files with `include`. */
  settingsBytesMax: 256 * 1024,
  /** Faults listed of one settings document; a document of 256 KiB can hold some ten thousand, nobody reads them. */
  configFaultsMax: 500,
  /** Ids appear in URLs, labels and channels. */
  idLengthMax: 64,
  /** RE2 is linear in the input, its automaton is not free: a selector longer than this is a mistake. */
  patternLengthMax: 512,
  /** More rows than this are cut with a notice (DESIGN §6); 1 M samples are 16 MB of Arrow. */
  rowsPerQueryMax: 1_000_000,
  /** An answer up to this size is sent as one piece: copying it costs less than handing over its parts one by one. */
  answerJoinedBytesMax: 64 * 1024,
  /** Texts of queries that are kept read and compiled, and the longest kept: some dashboards' panels, 1 MiB at most. */
  queriesKnownMax: 256,
  queryKnownBytesMax: 4 * 1024,
  /** Footers of frames that are kept for the next answer of the same series, and the longest text of what is in one: 2 MiB at most, mostly a tenth of it. */
  footersKnownMax: 256,
  footerKnownTextMax: 4 * 1024,
  /** A wildcard over a large plant: more frames than this are cut with a notice, a browser cannot draw them. */
  seriesPerQueryMax: 1_000,
  /** Buckets of an aggregate query per series: four times a 4K screen's width. */
  bucketsPerSeriesMax: 16_384,
  /** Different values of a series that are taken for states when time in state is asked for: more lines than that nobody tells apart. */
  statesMax: 64,
  /** Cells of one wide frame: its rows are the union of all times, so that series out of step multiply; 4 M doubles are 32 MB. */
  wideCellsMax: 4_000_000,
  /** UTF-8 bytes of one text column; Arrow's offsets are 32 bits wide and a browser gives up much earlier. */
  textBytesPerColumnMax: 256 * 1024 * 1024,
  /** Commands one query answers with, newest first: more marks than that hide a chart. */
  commandsPerQueryMax: 10_000,
  /** JSON bodies of resources are a handful of fields; config/check may carry whole settings. */
  bodyBytesMax: 1024 * 1024,
  /** One message of a long answer (`export`, `events`): held whole by us, by gRPC and by the host. */
  partBytesMax: 1024 * 1024,
  /** Exports under way in the process: each reads the history and formats it on the main thread, in turns. */
  exportsOpenMax: 4,
  /** Rows read and formatted in one go: some milliseconds, in which nothing else runs. Text may be 64 KiB a row, so there are fewer. */
  exportRowsPerPage: 5_000,
  exportTextRowsPerPage: 200,
  /** One import, in bytes: the host hands bodies over whole, in one message of 16 MiB with its headers. A longer history goes in several. */
  importBytesMax: 15 * 1024 * 1024,
  /** Imports under way in the process: each has its body in memory and reads it on the main thread, in turns. */
  importsOpenMax: 2,
  /** Lines read in one go before the store takes them: some milliseconds. */
  importRowsAtOnce: 2_000,
  /** Series of one page of `GET series`: each is looked up on disk. */
  seriesListedMax: 1_000,
  /** Bad lines that are named one by one; the rest is counted. */
  importFaultsMax: 1_000,
  /** `events` connections of the process: each looks at every sample. */
  eventsOpenMax: 32,
  /** Events, and bytes of them, that wait for a reader; one that is further behind is told so and dropped. */
  eventsWaitingMax: 20_000,
  eventsWaitingBytesMax: 4 * 1024 * 1024,
  /** How long a reader of a long answer may take nothing at all before it is given up: a paused download, a page in the background. */
  readerStallMs: 60_000,
  /** Proxies take a connection that says nothing for a minute for dead. */
  eventsHeartbeatMs: 15_000,
  /** Rights are looked at when it opens, so that it does not stay open for ever: whoever reads on opens it again. */
  eventsLifetimeMs: 3_600_000,
  /** Names of one `suggest`, unless said and at most: a list that people look through. */
  suggestDefault: 100,
  suggestMax: 1_000,
  /** Devices of the help page, points of one, and labels of a point that are shown. */
  helpDevicesMax: 100,
  helpPointsMax: 40,
  /** Kinds of an `Accept` header that are looked at. */
  acceptKindsMax: 32,
  /** gRPC messages we accept; the Go SDK's server takes 16 MiB too (facts/grafana.md §2.8). */
  requestBytesMax: 16 * 1024 * 1024,
  /**
   * Calls the host may give up at once, and each second. Node's own bounds (1,000 and 33) are against strangers: beyond them the connection is closed and
   * Grafana starts the plugin anew. Who reaches our socket is the host.
   */
  callsGivenUpBurst: 1_000_000,
  callsGivenUpPerSecond: 100_000,
  /** The host reads stderr in 64 KiB lines; a longer line is not parsed as JSON (facts/grafana.md §1.6). */
  logLineBytesMax: 48 * 1024,
  /** Log lines waiting for a host that does not read; more are dropped and counted. */
  logLinesMax: 1_000,
  /** sun_path of Linux holds 108 bytes with its closing zero, that of macOS 104. */
  socketPathBytesMax: 103,
  /** How often the parent process is looked at, and how long a vanished connection may take to come back: host gone must mean ended within 2 s. */
  hostLookMs: 250,
  hostGraceMs: 700,
  /** A host that never connects: go-plugin's own start time-out is a minute. */
  hostFirstContactMs: 70_000,
  /** At the end: time for calls to give up, and for their last answers to leave before the connection is closed. */
  callsEndMs: 150,
  hangUpMs: 50,
  /** The share of `shutdownMs` in which devices let go; the rest belongs to the last flush of the history. */
  closeDevicesMs: 400,
  /** Exceptions that nobody caught, within a minute, before the process ends in order and lets the host start it afresh. */
  uncaughtPerMinuteMax: 20,
  /** Samples the hub holds for one live subscriber before it drops the oldest and counts them. */
  hubQueueMax: 10_000,
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
  /**
   * Samples that arrive within one tick of the clock are put one after the other. A last sample further ahead than this is no burst but a clock
   * that was set back.
   */
  burstSpreadMaxMs: 1_000,
  /** A device time further in the future than this is replaced by arrival (DESIGN §5). */
  clockAheadMaxMs: 60_000,
  /** No driver call of a session may last longer, whatever the settings: then the driver hangs and the link is opened anew. */
  requestGuardMs: 60_000,
  /** What a driver gets to end a call whose signal was aborted, before it is left alone. */
  abortGraceMs: 1_000,
  /** First polls after opening are spread over this, or over their interval if it is shorter, so that devices do not all fire at once. */
  pollSpreadMs: 1_000,
  /** The same bad reading of a point (a broken sensor, polled every second) is kept only this often; a change is kept at once. */
  badRepeatMs: 60_000,
  /** A driver's memory of one connection, as JSON (DESIGN §4). */
  driverMemoryBytesMax: 64 * 1024,
  /** The longest wait for the store where a command or a start depends on it: a stuck disk must not hang the caller. */
  storeWaitMs: 5_000,
  /** How soon the history is asked again to take samples whose sender waits for their commit; and how many wait, as many brokers' windows. */
  intakeRetryMs: 1_000,
  intakeHeldMax: 50_000,
  /** Samples gathered within one turn of the event loop before they are handed on without waiting for its end. */
  turnSamplesMax: 1_000,
  /** How often samples older than the retention are deleted. */
  expireEveryMs: 3_600_000,
  expireFirstMs: 60_000,
  /** What closing gets for commands, then for connections, then for the last flush: together less than `shutdownMs`. */
  gatewayCloseMs: 250,
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
  /** Commands of one request: a scene of a hall; more are a program, which sends them in parts. */
  commandsAtOnceMax: 100,
  /** Comparisons of one interlock, each of which may ask a device. */
  interlockComparisonsMax: 16,
  /** A reading that an interlock looks at and that cannot be asked for is believed this long unless the interlock says otherwise. */
  interlockMaxAgeMs: 60_000,
  /** Commands that a `rate` can count: it remembers the time of each. */
  rateCountMax: 1_000,
  /** Points and actions whose last command did not end well that are kept for health; the longest known is dropped. */
  commandsFailingMax: 100,
  /** How long a person may think about a confirmation: longer than a look at the plant, shorter than a coffee. */
  confirmMs: 60_000,
  /** Questions for confirmation that are open; the oldest is forgotten. */
  confirmsOpenMax: 1_000,
  /** Refused attempts that are recorded a minute, each; more are counted on the next one, so that whoever tries without end does not fill the record. */
  refusalsPerMinuteMax: 60,
  /** How long after a start the point of a command that a crash cut off is waited for, and the pause between two looks. */
  recoveryReadMs: 3_600_000,
  recoveryLookMs: 500,
  /** Newest commands that are looked at after a start for pauses and rates that still run. */
  guardsRecalledMax: 1_000,
  /** A maintenance lock ends by itself after this at the latest; whoever still works there sets it anew. */
  lockMaxMs: 30 * 86_400_000,
  /**
   * Devices one gateway discovers by itself: far more than a house or a plant has, and few enough that whoever invents topics cannot fill memory and
   * history. One more is refused, counted and told in health.
   */
  discoveredDevicesMax: 5_000,
  /** Refused devices that are known by name, so that each is counted once; beyond it every refusal counts. */
  discoveryRefusedMax: 1_000,
  /** What the far end may say of one device it announces: a device of the settings with some hundred points. */
  announcedBytesMax: 256 * 1024,
  /** Topics that together say whether one device is there. */
  availabilityTopicsMax: 8,
  /** Words of one topic that say the same of a device. */
  availabilityWordsMax: 16,
  /** How often silent devices are looked for: the shortest `staleAfter` is a second. */
  staleLookMs: 250,
  /** MQTT payloads larger than this are refused with reason `decode`: a photo is not telemetry. */
  payloadBytesMax: 64 * 1024,
  /** MQTT broker topic limit (MQTT 5 §1.5.4: a UTF-8 string of at most 65,535 bytes); more than this is no device. */
  topicLengthMax: 1_024,
  /** Live packets per second and channel; points faster than that are reduced to min and max within a packet. */
  livePacketsPerSecondMax: 10,
  /** Named flags of a number whose combinations are all sent as value mappings: 6 make 63. Of more, each flag alone. */
  flagsCombinedMax: 6,
  /** Series of one live channel: each is a column of every packet, with a hole where it has nothing new. */
  liveSeriesMax: 200,
  /** Samples of one series in a packet's time that are sent as they are (100 a second); faster points are reduced to first, min, max and last. */
  liveSamplesPerPacketMax: 10,
  /** Cells of one packet; older rows are dropped and counted. Grafana closes a browser's connection at 4 MB queued (facts/grafana.md §3). */
  livePacketCellsMax: 50_000,
  /** Rows sent at once for what came between the history and the stream, or between two streams of a channel. */
  liveCatchUpRowsMax: 5_000,
  /** Messages of raw traffic that a live tail looks at for one packet (some milliseconds), and what goes into one: lines and characters of them. */
  liveMessagesLookedMax: 2_000,
  liveMessagesPerPacketMax: 200,
  liveMessageCharactersMax: 128 * 1024,
  /** Live channels open at once; each costs a look at every sample. One more is answered with history alone. */
  liveOpenMax: 256,
  /** How long a channel waits for its first viewer, or keeps its place between two: Grafana ends a stream 15 s after the last has left. */
  liveIdleMs: 20_000,
  /** A range that ended longer ago than this is past and has no live continuation; dashboards round "now" and clocks differ. */
  liveEdgeMs: 60_000,
  /** From the end of an interval until it is read: polls and commits of its last samples are done by then. */
  liveBucketGraceMs: 250,
  /** The longest sleep until an interval is over: a timer holds 24 days at most, and a month has more. */
  liveSleepMaxMs: 3_600_000,
  /** Where a channel of intervals has got to is noted on disk, for after a restart, if they are at least this wide: a write an interval and no more. */
  liveNotedWidthMs: 5_000,
  /** A channel in use is noted on disk this often, for the order in which channels are dropped. */
  channelTouchMs: 3_600_000,
  /** Remembered live channels of one gateway; the least recently used is dropped. */
  channelsMax: 1_000,
  /** An idle TCP link is probed after this, so that a peer that vanished is noticed although nobody asks. */
  tcpKeepAliveMs: 10_000,
  /** Gateways of one process. Grafana never says that a data source is gone, so an endless row of test data sources has to end somewhere. */
  instancesMax: 100,
  /** Settings with an older `lastUpdatedMS` replace newer ones when nobody has named those for this long (DESIGN §5). */
  olderSettingsAfterMs: 60_000,
  /** How long an instance runs on that Grafana does not name, unless `resume_for` says otherwise (DESIGN §5): a holiday without anybody looking. */
  resumeForMs: 7 * 86_400_000,
  resumeForMinMs: 1_000,
  resumeForMaxMs: 3_650 * 86_400_000,
  /** Pauses between two looks for instances that are not named any more: a tenth of `resume_for`, within these. */
  leaseLookMinMs: 100,
  leaseLookMaxMs: 60_000,
  /** When an instance was last named is written down this often; what a kill takes of it is small beside days. An eighth of `resume_for` if that is less. */
  namedTouchMs: 600_000,
  /** Pause between two tries to read what is remembered, while another process holds the folder or the disk fails. */
  recallRetryMs: 500,
  /** Instances that stand still but are known by name, with their history; the one that was not named for longest is forgotten. */
  instancesRestingMax: 1_000,
  /** Files under `config_path` that settings may include: how many, how long a name, and bytes of one and of all together; 16 MiB are some 50,000 points. */
  includedFilesMax: 64,
  includeNameLengthMax: 255,
  includedFileBytesMax: 4 * 1024 * 1024,
  includedBytesMax: 16 * 1024 * 1024,
  /** How often it is looked whether they have changed, when somebody asks. */
  includedLookMs: 5_000,
  /** Rules of `history.exceptions` and selectors of one: each is held against every series once an hour. */
  retentionRulesMax: 100,
  retentionSelectorsMax: 100,
  /** A clock further ahead than this of what it should show is doubted, and how long it has to go on like that until history is deleted by it. */
  clockJumpMs: 86_400_000,
  clockDoubtMs: 86_400_000,
  /** Copies of the history that are kept; the oldest goes when one more is made. */
  backupsMax: 5,
  /** The longest retention; also what holds while the settings that say it cannot be read, so that a mistake deletes nothing. */
  retentionMaxMs: 3_650 * 86_400_000,
  /** `state_key` shorter than this could be guessed from a copy of the database. */
  stateKeyLengthMin: 16,
  /**
   * How long a health check waits for connections that are being opened for the first time, so that "Save & test" tells the truth: a little more than
   * the opening of one may take, because "no answer" helps and "still connecting" does not.
   */
  healthWaitMs: 7_500,
  /** How long after a connection came up a health check still waits for the first word of the devices behind it: first polls are spread over a second. */
  healthFirstWordMs: 1_500,
  /** The pause between two looks of that wait. */
  healthLookMs: 25,
  /** Commands listed in one answer: unless said otherwise, and at most. */
  commandsListedDefault: 100,
  commandsListedMax: 1_000,
  /** What one probe or scan may find: a bus has 247 units, a broker may have any number of topics, and a person ticks them off a list. */
  findingsMax: 2_000,
  /** Places of a range that a scan proposes as points, as many as one request reads: a device that answers everywhere has no use for a point each. */
  scanPointsMax: 125,
  /** Parts of that size which one scan proposes of longer ranges: 10 KB each, so that together they are a third of `surveyCharactersMax`. */
  scanPartsMax: 128,
  /** Raw traffic kept for those who look, a connection (DESIGN §9); and bytes kept of one message, so that a large one does not push out all others. */
  trafficBytesMax: 16 * 1024 * 1024,
  trafficMessageBytesMax: 4_096,
  /** The same of all connections together: a plant of a hundred must not take a hundred times as much. The one with most gives first. */
  trafficBytesAllMax: 16 * 1024 * 1024,
  /** Raw traffic comes and goes in pieces of this size; the quietest connection holds one. */
  trafficSegmentBytes: 64 * 1024,
  /** Characters kept of a message's unit and of its meaning; topics are no longer (`topicLengthMax`). */
  trafficTextMax: 1_024,
  /** Messages of one answer, newest first, and how many are looked at in one go, which takes about a millisecond. */
  messagesPerQueryMax: 5_000,
  messagesPerSlice: 500,
  /** Requests of a bus that are remembered: about a minute of a busy one, 40 bytes each. */
  busSpansMax: 4_096,
  /** The same of all buses together, beyond the first 64 of each: half a minute of a hundred busy ones. */
  busSpansAllMax: 65_536,
  /** Requests of one trace, the newest: three lines each on the screen. */
  spansPerTraceMax: 1_000,
  /** A probe or a scan ends at the latest after this: 247 units, each a second silent, with room for the ranges of those that answer. */
  surveyTimeMaxMs: 1_800_000,
  /** Probes and scans at once in the process. */
  surveysOpenMax: 8,
  /** Last results of a gateway that are kept; the oldest goes first. */
  surveysKeptMax: 32,
  /** Progress is told this often at most; what comes between is only kept. */
  surveyProgressMs: 100,
  /** Characters of one finding as JSON: one that is longer is dropped and counted, so that all together stay small. */
  findingCharactersMax: 16 * 1024,
  /** Of all findings of one survey: they are kept until the next one. And bytes of them that wait for their reader: a scan may tell all at its end. */
  surveyCharactersMax: 4 * 1024 * 1024,
  surveyWaitingBytesMax: 8 * 1024 * 1024,
  /** Points and named commands of one `access/me`. */
  accessTargetsMax: 1_000,
  /** Alerts of one notification: Grafana groups them, and each may be a command. */
  alertsAtOnceMax: 100,
  /** A signature of a notification is believed for this long, so that a copy of it is soon worth nothing; clocks differ. */
  hookAgeMs: 300_000,
  /** A shorter secret could be guessed from one notification. */
  hookSecretLengthMin: 16,
  /** So many times its usual silence a point may be silent before a chart breaks its line: a poll may come late, and one may be lost. */
  silenceFactor: 3,
  /** So many times that silence, and its age is shown red: somebody should look. Before, it may be a bus that is slow. */
  overdueFactor: 10,
  /** An `Idempotency-Key`: room for a UUID with a name before it. */
  idempotencyKeyLengthMax: 128,
  /** Connections, devices or faults named one by one in a health message; the details have them all. */
  healthNamedMax: 3,
  /** After a Shutdown call everything is flushed and closed within this; the host kills at 2 s (facts/grafana.md §1.5). */
  shutdownMs: 900,
  ...modbusLimits,
  ...mqttLimits,
  ...serialLimits,
  ...storeLimits,
} as const;
