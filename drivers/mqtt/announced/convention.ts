/** How devices announce themselves: what is subscribed to, what one message says, and what device all that was said makes. */

/** Something one message announces of one device: an entity, a sensor, what the device is called. Plain data: two that look the same are the same. */
export interface Part {
  readonly device: { readonly id: string };
}

export interface Announcement<P extends Part> {
  /** Undefined if nothing of the message is understood: what its topic announced before stays. */
  parts: P[] | undefined;
  /** What is not understood, in words; the rest counts all the same. */
  faults: string[];
}

/** A second place where a point is told, in the same way as at its address. */
export interface Echo {
  topic: string;
  path: string;
}

/** A message that changes nothing and makes a device say what it knows. */
export interface Question {
  topic: string;
  payload: string;
}

export interface Description {
  /** The device in the language of the settings. */
  device: Record<string, unknown>;
  /** By the id of the point. */
  echoes?: ReadonlyMap<string, readonly Echo[]>;
  /** Asked once in each session, when its points are heard. */
  question?: Question;
}

export interface Convention<P extends Part> {
  /** For people. */
  readonly name: string;
  /** The topic below which it is announced. */
  readonly prefix: string;
  readonly filters: readonly string[];
  /** What reads the messages of a topic, which are not empty; undefined if the topic is none of the convention's. Reading never throws. */
  reader(topic: string): ((payload: Buffer) => Announcement<P>) | undefined;
  /** What all its parts make of a device; undefined if they make none yet. */
  describe(id: string, parts: readonly { topic: string; part: P }[]): Description | undefined;
}
