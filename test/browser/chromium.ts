/** A headless Chromium for one test file, and the stand-in of Grafana behind it. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { type Backend, startBackend } from './stand/backend.ts';
import { bundlePage } from './stand/bundle.ts';
import { type Stand, startStand } from './stand/server.ts';

export interface Studio {
  browser: Browser;
  backend: Backend;
  stand: Stand;
  /** Opens `/?<query>`; what the page says on its console as an error ends up in `errors`. */
  open(query: string, viewport?: { width: number; height: number }): Promise<Page>;
  errors: string[];
  close(): Promise<void>;
}

export async function openStudio(jsonData: Record<string, unknown>, secrets: Record<string, string> = {}): Promise<Studio> {
  const page = await bundlePage();
  const backend = await startBackend();
  const stand = await startStand(backend, page, { jsonData, secrets });
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const errors: string[] = [];
  return {
    browser,
    backend,
    stand,
    errors,
    async open(query, viewport = { width: 1280, height: 900 }) {
      const opened = await browser.newPage({ viewport });
      opened.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      opened.on('response', (response) => response.status() === 404 && errors.push(`404 ${new URL(response.url()).pathname}`));
      opened.on('pageerror', (error) => errors.push(error.message));
      await opened.goto(`${stand.url}/?${query}`);
      return opened;
    },
    async close() {
      await browser.close();
      await stand.close();
      await backend.stop();
    },
  };
}
