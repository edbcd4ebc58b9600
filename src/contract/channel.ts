/** Live channels: `ds/<uid>/<path>`. The path fully determines the content (facts/grafana.md §3), so it is a hash of the normalised query. */

/** `live/<hash>`: the part of a channel after the data source's uid. */
export const livePathPrefix = 'live/';

/** Grafana's own rule for a channel's path (sdk live/channel.go). */
export const channelPathPattern = /^[A-Za-z0-9_\-/=.]{1,128}$/;
