/**
 * A small stand-in of Grafana's HTTP API, so that editors and panel can be used in a browser against the real executable: the data source's
 * settings, health, resources, queries and live channels. It decides nothing the plugin decides.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { type Backend, contextOf, type Person, type Stored } from './backend.ts';
import type { Bundle } from './bundle.ts';
import { jsonFrame } from './frames.ts';

const plugins = join(import.meta.dirname, '../../../dist');
const icons = join(import.meta.dirname, '../../../node_modules/@grafana/ui/dist/public/img');
const noIcon = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"/>';
const types: Record<string, string> = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.html': 'text/html',
};

export interface Stand {
  url: string;
  /** What Grafana would keep; a page changes it with PUT, a test as it likes. */
  stored: Stored;
  /** Who is signed in. */
  person: Person;
  close(): Promise<void>;
}

export async function startStand(backend: Backend, bundle: Bundle, first: Pick<Stored, 'jsonData' | 'secrets'>): Promise<Stand> {
  const stand = {
    stored: { ...first, updatedMs: Date.now() } as Stored,
    person: { login: 'ada', role: 'Admin' } as Person,
  };
  const page =
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Fieldgate</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"><style>body{margin:0}</style><script>window.grafanaBootData={settings:{buildInfo:{version:"13.2.2"},featureToggles:{},appSubUrl:""},user:{isSignedIn:true,orgRole:"Admin"},navTree:[]};window.__grafana_public_path__="/public/"</script></head><body><main id="root"></main><script src="/page.js"></script></body></html>';

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand');
    const { pathname } = url;
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    const context = () => contextOf(stand.stored, stand.person);
    if (pathname === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page);
    if (pathname === '/page.css')
      return void response.writeHead(200, { 'content-type': 'text/css' }).end(readFileSync(bundle.page.replace(/js$/, 'css')));
    if (pathname === '/page.js')
      return void response
        .writeHead(200, { 'content-type': 'text/javascript', 'cache-control': 'max-age=3600' })
        .end(readFileSync(bundle.page));
    const worker = pathname.startsWith('/workers/') ? bundle.workers[pathname.slice('/workers/'.length)] : undefined;
    if (worker !== undefined) return void response.writeHead(200, { 'content-type': 'text/javascript' }).end(readFileSync(worker));
    if (pathname.startsWith('/public/plugins/')) {
      const file = normalize(join(plugins, decodeURIComponent(pathname.slice('/public/plugins/'.length))));
      if (!file.startsWith(plugins) || !existsSync(file)) return send(404, { message: 'not found' });
      return void response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
    }
    // Icons are in the package of Grafana's components; its fonts are not, and the browser's own do.
    if (pathname.startsWith('/public/img/') || pathname.startsWith('/public/build/img/')) {
      const file = normalize(join(icons, decodeURIComponent(pathname).replace(/^.*?\/img\//, '')));
      // The package lacks one, which Grafana has: what turns while something is loaded.
      if (pathname.endsWith('/unicons/spinner.svg')) return void response.writeHead(200, { 'content-type': 'image/svg+xml' }).end(noIcon);
      if (!file.startsWith(icons) || !existsSync(file)) return send(404, { message: 'not found' });
      return void response.writeHead(200, { 'content-type': types[extname(file)] ?? 'image/svg+xml' }).end(readFileSync(file));
    }
    if (pathname.startsWith('/public/fonts/')) return void response.writeHead(204).end();
    const body = await bytesOf(request);
    if (pathname === '/api/stand') {
      if (request.method === 'PUT') {
        const { jsonData, secureJsonData } = JSON.parse(body.toString()) as {
          jsonData: Stored['jsonData'];
          secureJsonData?: Record<string, string>;
        };
        stand.stored = {
          jsonData,
          secrets: { ...stand.stored.secrets, ...secureJsonData },
          updatedMs: Math.max(Date.now(), stand.stored.updatedMs + 1),
        };
      }
      const { jsonData, secrets } = stand.stored;
      return send(200, {
        jsonData,
        secureJsonFields: Object.fromEntries(Object.keys(secrets).map((name) => [name, true])),
        person: stand.person,
      });
    }
    const base = '/api/datasources/uid/stand';
    if (pathname === `${base}/health`) {
      const { status, message, jsonDetails } = await backend.health(context());
      return send(status === 'OK' ? 200 : 400, { status, message, details: JSON.parse(Buffer.from(jsonDetails).toString() || '{}') });
    }
    if (pathname.startsWith(`${base}/resources/`)) {
      const path = pathname.slice(`${base}/resources/`.length);
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, { values: [value].flat() }]));
      const call = backend.resource(context(), { method: request.method ?? 'GET', path, url: path + url.search, headers, body });
      response.once('close', () => call.cancel());
      for await (const part of call) {
        if (!response.headersSent)
          response.writeHead(part.code, Object.fromEntries(Object.entries(part.headers).map(([name, { values }]) => [name, values])));
        response.write(part.body);
      }
      return void response.end();
    }
    if (pathname === '/api/ds/query') {
      const { queries, from, to } = JSON.parse(body.toString()) as { queries: Record<string, unknown>[]; from: string; to: string };
      const answers = await backend.query(
        context(),
        queries.map((query) => ({
          refId: query.refId,
          maxDataPoints: query.maxDataPoints ?? 1000,
          intervalMS: query.intervalMs ?? 1000,
          timeRange: { fromEpochMS: Number(from), toEpochMS: Number(to) },
          json: Buffer.from(JSON.stringify(query)),
          queryType: String(query.queryType ?? ''),
        })),
      );
      const results = Object.fromEntries(
        Object.entries(answers).map(([refId, { frames, error, status }]) => [
          refId,
          { status, frames: frames.map(jsonFrame), ...(error === '' ? {} : { error }) },
        ]),
      );
      return send(200, { results });
    }
    if (pathname.startsWith('/api/live/')) {
      const call = backend.stream(context(), decodeURIComponent(pathname.slice('/api/live/'.length)));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.once('close', () => call.cancel());
      for await (const packet of call) response.write(`data: ${Buffer.from(packet.data).toString()}\n\n`);
      return void response.end();
    }
    send(404, { message: `the stand-in has no ${request.method} ${pathname}` });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      // A viewer that hung up cancels its call; anything else is said to the page.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: error.message }));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  return Object.assign(stand, {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return Array.fromAsync(request as AsyncIterable<Buffer>).then((parts) => Buffer.concat(parts));
}
