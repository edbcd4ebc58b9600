/** The bounds of MQTT, part of `limits`. */
export const mqttLimits = {
  /** An MQTT packet larger than this ends the link: the parser would have to hold it whole, and MQTT allows 256 MB (MQTT 5 §1.5.5). */
  mqttPacketBytesMax: 1024 * 1024,
  /** Messages that come before their points are known (a kept session, a change of settings): some milliseconds' worth. More of QoS 0 are dropped, of QoS 1 and 2 they wait at the broker. */
  mqttHeldMessagesMax: 1_000,
  mqttHeldBytesMax: 8 * 1024 * 1024,
  /** Publishes the broker has not confirmed yet; below the 20 that mosquitto lets a client have in flight. */
  mqttInFlightMax: 16,
  /** Topics in one SUBSCRIBE: a refusal is known per topic, and brokers bound the packet. */
  mqttTopicsPerSubscribeMax: 100,
  /** Unless said otherwise: a dead link is noticed within 23 s. */
  mqttKeepaliveMs: 15_000,
  /** A message that was wrapped (gzip) and is larger than this is refused: 64 KiB of zeros could be 64 MiB. */
  mqttUnpackedBytesMax: 1024 * 1024,
  /** Readings of one point in one message (a batch): what a logger gathers in two hours at 1 Hz and a message can hold. */
  mqttBatchMax: 8_192,
  /** Topics one scan looks at, and how often it tells what it has; with the devices made of them they are below `findingsMax`. */
  mqttScanTopicsMax: 1_000,
  mqttScanLookMs: 500,
  /** Conventions with the topic below which devices announce themselves by them, of one scan. */
  mqttScanConventionsMax: 16,
  /** How long a device may take to answer a command, unless said otherwise. */
  mqttAnswerMs: 5_000,
  /** Topics under wildcards whose readers are remembered; those beyond are looked up in the tree for every message. */
  mqttTopicsKnownMax: 100_000,
  /** Messages of QoS 1 and 2 a broker may send before the first is confirmed, unless said otherwise: a few commits' worth. */
  mqttReceiveMax: 1_000,
  /** Topics a broker may shorten to a number, and brokers of one connection. */
  mqttTopicAliasMax: 100,
  mqttBrokersMax: 8,
  /** Ends of a connection that are looked back at to notice that two clients use one name, and how far back. */
  mqttEndingsKept: 8,
  mqttEndingsMs: 300_000,
  /** How long after it came up an end is typical of such a pair. */
  mqttTwinEndMs: 10_000,
  /** Copies of a message for subscriptions that cross come one right after the other; a device that means to say something again takes longer. */
  mqttCopiesMs: 50,
  /** Devices that announced themselves are asked for what they know, so long after one another. */
  mqttQuestionEveryMs: 20,
  /** Words of a point that mean something: those for true or for false, or the entries of a map. */
  mqttWordsMax: 256,
  /** Entities of one convention of discovery one connection takes: ten for each of the devices one gateway discovers. */
  mqttAnnouncedMax: 50_000,
  /** What is announced comes in bursts (retained messages): devices are made when it has been quiet for so long, at the latest after the second time. */
  mqttAnnounceQuietMs: 100,
  mqttAnnounceWaitMs: 1_000,
  /** Entries of a list in what a Tasmota announces, such as its relays: twice what its firmware has. And levels of a sensor message, of which it has three. */
  tasmotaListMax: 64,
  tasmotaDepthMax: 6,
  /** Metrics in one Sparkplug payload, members of templates among them: a packet of 1 MiB could hold half a million empty ones. */
  sparkplugMetricsMax: 20_000,
  /** Templates within templates: people go three deep, a recursion without end must not. */
  sparkplugTemplateDepthMax: 8,
  /** Characters of a metric's name, and of what has no plain value (a table, an array, bytes) as text. */
  sparkplugNameMax: 1_024,
  sparkplugTextMax: 16_384,
  /** Groups a connection may name, each six subscriptions; and edge nodes it knows, as many as devices are discovered. */
  sparkplugGroupsMax: 64,
  sparkplugNodesMax: 5_000,
  /** How long a missing message is waited for, unless said otherwise: the specification calls a couple of seconds typical (§5.13). */
  sparkplugReorderMs: 2_000,
  /** Devices whose edge node was born again and that are not are gone after this: an edge node sends all births at once. */
  sparkplugBirthWaitMs: 10_000,
  /** Requests for a birth: to one edge node not sooner than this after the last, twice as long each time up to the maximum; to all, one in 50 ms. */
  sparkplugRebirthGapMs: 10_000,
  sparkplugRebirthGapMaxMs: 300_000,
  sparkplugRebirthEveryMs: 50,
  /** Names of edge nodes that are remembered, half of what a connection may keep. */
  sparkplugMemoryBytesMax: 32 * 1024,
  /** How long a broker may take to hang up after DISCONNECT, until the socket is destroyed. */
  mqttCloseTimeoutMs: 250,
} as const;
