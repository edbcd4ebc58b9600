/** Topics of Sparkplug B (specification 3.0, chapter 4): `spBv1.0/<group>/<message type>/<edge node>[/<device>]`. */

export const namespace = 'spBv1.0';

const nodeTypes = ['NBIRTH', 'NDEATH', 'NDATA'] as const;
const deviceTypes = ['DBIRTH', 'DDEATH', 'DDATA'] as const;
export type MessageType = (typeof nodeTypes)[number] | (typeof deviceTypes)[number];

/** Who is meant: an edge node, or a device behind it. */
export interface Place {
  group: string;
  node: string;
  device?: string | undefined;
}

export interface SparkplugTopic extends Place {
  type: MessageType;
}

/** Undefined for what an edge node does not send. */
export function parseSparkplugTopic(topic: string): SparkplugTopic | undefined {
  const [space, group = '', type = '', node = '', device, ...rest] = topic.split('/');
  if (space !== namespace || group === '' || node === '' || device === '' || rest.length > 0) return undefined;
  const known = (device === undefined ? nodeTypes : deviceTypes).find((one) => one === type);
  return known && { group, type: known, node, device };
}

export const stateTopic = (hostId: string) => `${namespace}/STATE/${hostId}`;

/** What is subscribed to of these groups. Not a whole group by `#`: our own commands would come back. */
export function filtersOf(groups: readonly string[]): string[] {
  return (groups.length > 0 ? groups : ['+']).flatMap((group) => [
    ...nodeTypes.map((type) => `${namespace}/${group}/${type}/+`),
    ...deviceTypes.map((type) => `${namespace}/${group}/${type}/+/+`),
  ]);
}

export function commandTopic({ group, node, device }: Place): string {
  return device === undefined ? `${namespace}/${group}/NCMD/${node}` : `${namespace}/${group}/DCMD/${node}/${device}`;
}

/** `Plant/Line 3`, `Plant/Line 3/Pump`: how people write it. Names hold no slash, so it is clear. */
export const nameOf = ({ group, node, device }: Place) => [group, node, ...(device === undefined ? [] : [device])].join('/');
