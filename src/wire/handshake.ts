/** go-plugin's handshake: who may start us, and the one line that says where we listen (facts/grafana.md §8.2). */

import { writeSync } from 'node:fs';

/** Of Grafana's plugin set; a host that speaks another cannot use us. */
const protocolVersion = 2;
/** go-plugin's own, unchanged since it exists. */
const coreVersion = 1;

/** Why this process does not serve, in words for whoever started it: a person at a terminal, or the operator of a host. */
export class Refusal extends Error {
  readonly to: 'person' | 'host';

  constructor(message: string, to: Refusal['to'] = 'host') {
    super(message);
    this.name = 'Refusal';
    this.to = to;
  }
}

/** Throws a `Refusal` if the environment is not that of a host we can serve. */
export function checkHost(env: NodeJS.ProcessEnv): void {
  if (env.grafana_plugin_type !== 'datasource') {
    throw new Refusal(
      "This is Fieldgate, a data source plugin. Grafana starts it by itself: put its folder into Grafana's plugin folder. " +
        'To see your devices without Grafana, type `npm start` in the source folder.',
      'person',
    );
  }
  const offered = env.PLUGIN_PROTOCOL_VERSIONS;
  if (offered !== undefined && !offered.split(',').some((version) => Number(version.trim()) === protocolVersion)) {
    throw new Refusal(`The host speaks plugin protocol ${JSON.stringify(offered)}; this plugin speaks ${protocolVersion}.`);
  }
  if (env.PLUGIN_CLIENT_CERT !== undefined) {
    // Going on in clear text would be worse than refusing: the host asked for a private line.
    throw new Refusal(
      'The host asks for mutual TLS (PLUGIN_CLIENT_CERT is set), which this plugin does not speak. Grafana does not ask for it; start it without AutoMTLS.',
    );
  }
}

export interface Address {
  network: 'unix' | 'tcp';
  /** A path, or `127.0.0.1:<port>`. */
  address: string;
}

/** The line for stdout, without its line feed. The field after `grpc` is the server's certificate: none. */
export function handshakeLine({ network, address }: Address, env: NodeJS.ProcessEnv): string {
  const multiplexed = env.PLUGIN_MULTIPLEX_GRPC === undefined ? '' : '|false';
  return `${coreVersion}|${protocolVersion}|${network}|${address}|grpc|${multiplexed}`;
}

/** Writes it, at once and whole: the only thing that ever reaches stdout. */
export function announce(handshake: string): void {
  writeSync(1, `${handshake}\n`);
}
