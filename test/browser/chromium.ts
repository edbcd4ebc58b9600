/** A headless Chromium for one test file, and the stand-in of Grafana behind it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { type Backend, startBackend } from './stand/backend.ts';
import { bundlePage } from './stand/bundle.ts';
import { type Stand, startStand } from './stand/server.ts';

export interface Studio {
  backend: Backend;
  stand: Stand;
  /** Opens `/?<query>`; what the page says on its console as an error ends up in `errors`. */
  open(query: string, viewport?: { width: number; height: number }): Promise<Page>;
  errors: string[];
  /** Closes what was opened, so that one test's page asks nothing during the next. */
  closePages(): Promise<void>;
  close(): Promise<void>;
}

export async function openStudio(jsonData: Record<string, unknown>, secrets: Record<string, string> = {}): Promise<Studio> {
  const bundle = await bundlePage();
  const backend = await startBackend();
  const stand = await startStand(backend, bundle, { jsonData, secrets });
  // One profile for all pages: the page's script is large, and Chromium keeps it compiled only where it has a cache.
  const profile = mkdtempSync(join(tmpdir(), 'fieldgate-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
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
    backend,
    stand,
    errors,
    async open(query, viewport = { width: 1280, height: 900 }) {
      const opened = await context.newPage();
      await opened.setViewportSize(viewport);
      opened.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      opened.on('response', (response) => response.status() === 404 && errors.push(`404 ${new URL(response.url()).pathname}`));
      opened.on('pageerror', (error) => errors.push(error.message));
      await opened.goto(`${stand.url}/?${query}`);
      return opened;
    },
    async closePages() {
      // The first one is the browser's own: with the last page it might end.
      for (const opened of context.pages().slice(1)) await opened.close();
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      await stand.close();
      await backend.stop();
    },
  };
}
