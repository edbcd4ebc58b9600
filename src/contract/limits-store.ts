/** The bounds of the history; a part of `limits`, which says in which units. */
export const storeLimits = {
  /** Samples waiting for a commit before new ones are refused and counted: 1 M samples are 32 MB of columns. */
  storeQueueMax: 1_000_000,
  /** The same for their texts, in UTF-16 units: 32 MB to 64 MB. One more append is taken that begins below it. */
  storeQueueTextMax: 32 * 1024 * 1024,
  /** Workers that may die while they commit a batch, before it is the batch that is given up: nothing else would be kept any more. */
  storeDeathsMax: 3,
  /** Commits, and time, after which the size of the history is looked at again. */
  storeSizeCommits: 16,
  storeSizeAgeMs: 100,
  /** Columns of committed batches kept for the next ones, 640 KB each at most: while one is on its way, another one is filled. */
  storeSpareBatches: 2,
  /** Samples in one transaction of the store: about 40 ms of its worker, so that a waiting acknowledgement is never far behind. */
  storeCommitRowsMax: 20_000,
  /** Rows a read goes through before the store's worker looks at what else waits: 1 to 3 ms. */
  storeSliceRows: 65_536,
  /** The same for folds, expiries and look-ups, as time: what a commit may have to wait for besides its own work. */
  storeSliceMs: 4,
  /** Samples of one chunk: two hours at 1 Hz, decoded in 0.1 ms. */
  storeChunkRowsMax: 8_192,
  /** Decoded chunks that the reader keeps: the last two hours of a hundred points that panels ask for again and again, at 128 KiB each. */
  storeCacheBytesMax: 16 * 1024 * 1024,
  /** Samples of one series kept beside the reader for who asks again: ten minutes of one a second, three hours of one in ten. */
  storeWarmRowsMax: 1_024,
  /** Series kept so: what a few dashboards and alert rules show; 9 MiB if all are full. */
  storeWarmSeriesMax: 512,
  /** Rows of one series from which on chunks are decoded where the answer will be, past the cache: two or three chunks more than a panel of some hours has. */
  storeRoomRowsMin: 32_768,
  /** Memory of large answers that the reader keeps for the next ones: two of a million rows. */
  storeSlabBytesMax: 40 * 1024 * 1024,
  /** The same on loan: beyond it answers come in memory that the garbage collector counts. */
  storeLentBytesMax: 64 * 1024 * 1024,
  /** Room for short-lived objects in each worker of the store; Node's own 48 MiB stay resident after the first burst and make nothing faster. */
  storeWorkerYoungMiB: 4,
  /** UTF-16 units of text after which a chunk ends. */
  storeChunkTextMax: 256 * 1024,
  /**
   * The newest samples are in memory, in writer and reader, until they are folded into chunks: 16 bytes each. More rows make larger chunks of many
   * series; a pack is a commit, and a read looks into each.
   */
  storeHeadRowsMax: 393_216,
  storeHeadPacksMax: 4_096,
  storeHeadBytesMax: 12 * 1024 * 1024,
  /** Commits wait for the fold when the head is this many times as large as it should be. */
  storeHeadOverMax: 2,
  /** Below this many times a fold rests after each of its slices, this many times as long as the slice took. */
  storeHeadRestMax: 1.5,
  storeFoldRest: 2,
  /** Different damaged parts of the history that are told of one by one. */
  storeDamageToldMax: 100,
  /** Reads waiting in the store; one more is refused with 503. Grafana sends a panel's queries together, dashboards have tens of panels. */
  storeReadsMax: 256,
  /** Calls under way of which each can be told to stop: more than there are. */
  storeStopCells: 1_024,
  /** How long a call waits for a store that is still opening: a predecessor that lost its host ends within 2 s (DESIGN §9). */
  storeOpenWaitMs: 2_500,
  /** The same where nobody else has it: a small machine that starts everything at once, or a history of an older version that is converted. */
  storeSlowOpenMs: 15_000,
  /** Pause between two tries to get a data folder that another process holds (DESIGN §5). */
  folderRetryMs: 250,
  /** Flushing and ending the store's workers; the rest of `shutdownMs` belongs to the devices. */
  storeCloseMs: 600,
  /** Series of all gateways together, unless `series_max` says otherwise; each costs about 1 KB of memory. A topic that invents devices without end stops here. */
  seriesMax: 100_000,
  /** The most that `series_max` may say: 1 GB of memory. */
  seriesCeiling: 1_000_000,
  /** History on disk (DESIGN §9), and without a data folder in memory; beyond it the oldest samples go first. */
  historyBytesMax: 2 * 1024 * 1024 * 1024,
  /** The least that `history_size` may say: the log alone takes several MiB before it is folded. */
  historyBytesMin: 16 * 1024 * 1024,
  storeMemoryBytesMax: 256 * 1024 * 1024,
  /** Commands kept for the record of one gateway; the oldest ended ones go first. */
  commandsKeptMax: 100_000,
  /** Lines of the audit of one gateway, some five a command; the oldest go first, which a line of its own says. */
  auditKeptMax: 1_000_000,
  /** Lines of the audit deleted in one go: a commit may have to wait for it, and the next time comes within the hour. */
  auditExpiredAtOnce: 20_000,
  /** Lines of the audit read in one go: about a megabyte. */
  auditPageLines: 1_000,
  /** Keys of one remembered map, and the JSON of one value: a gateway's settings (256 KiB) with its secrets are the largest thing remembered. */
  rememberedKeysMax: 10_000,
  rememberedBytesMax: 1024 * 1024,
  /**
   * With `durability = power-loss` every commit waits for the medium: at most so many in a second, unless `syncs_per_second` says otherwise, because
   * each wears an SD card and a busy broker would ask for thousands. And the most that may be said.
   */
  syncsPerSecondDefault: 20,
  syncsPerSecondMax: 1_000,
  /** Longest wait of a sample for its commit unless the settings say otherwise (DESIGN §9). */
  flushIntervalMs: 1_000,
} as const;
