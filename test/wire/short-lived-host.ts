/** A host that exists to be killed: starts a plugin, connects as go-plugin does, says who and where the plugin is. */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { protocol } from './plugin.ts';

const [command, env] = process.argv.slice(2).map((text) => JSON.parse(text)) as [string[], Record<string, string>];
const [file = '', ...args] = command;
const plugin = spawn(file, args, { env, stdio: ['inherit', 'pipe', 'ignore'] });
plugin.stdout.once('data', (bytes) => {
  const socket = String(bytes).split('|')[3] ?? '';
  const stdio = new protocol.plugin.GRPCStdio(`unix:${socket}`, credentials.createInsecure());
  stdio.StreamStdio?.({}).on('error', () => undefined);
  stdio.waitForReady(Date.now() + 5_000, () => process.stdout.write(`${JSON.stringify({ pid: plugin.pid, folder: dirname(socket) })}\n`));
});
