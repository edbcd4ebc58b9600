/** Limits of the control panel, each with its reason. They are apart from `limits.ts` because they travel to every browser. */
export const limitsPanel = {
  /** How often a device is asked for its state and what stands against commands, while its values come live. */
  pollLiveMs: 5_000,
  /** The same where nothing comes live: what a person who waits for an effect still calls prompt. */
  pollMs: 1_500,
  /** After an answer that failed: a Grafana that restarts is not asked by every panel at once. */
  pollFailedMs: 5_000,
  /** The history that a live query begins with: only the newest sample of each point is shown. */
  liveHistoryMs: 60_000,
  /** A command that ends within this is shown as ended at once, without the states between. */
  firstWait: '400ms',
  /** Between two looks at a command that runs. */
  lookMs: 300,
  /** How long one request of somebody who may not read the list of commands waits for the end of one. */
  longWait: '5s',
  /** The same command is sent again after a request that got no answer: under its idempotency key it is one command. */
  retryMs: [500, 1_500, 4_000],
  /** A command is looked after for as long as it may wait, settle and be verified; then the panel says that it does not know. */
  followMs: 15 * 60_000,
  /** After an obstacle has ended by its own time: clocks of browser and server differ a little. */
  untilGraceMs: 200,
  /** Between two looks at who sent the last command: somebody else may have. */
  lastCommandMs: 15_000,
  /** The same after the value of the point changed: a command may have done it, but a measured value changes all the time. */
  lastCommandApartMs: 5_000,
  /** Records that are asked for then: a point and a command may bear the same name, and one of these is of the right kind. */
  lastCommandsMax: 5,
  /** Controls of one panel: more do not fit a page, and each asks. */
  controlsMax: 100,
  /** Names a search offers at once. */
  suggestionsMax: 100,
  /** Texts in options; longer ones are no names. */
  textMax: 1_024,
} as const;
