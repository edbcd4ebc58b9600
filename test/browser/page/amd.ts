/** As much of an AMD loader as Grafana's modules need: one anonymous `define` with what the host brings along. */
import * as emotion from '@emotion/css';
import * as data from '@grafana/data';
import * as runtime from '@grafana/runtime';
import * as schema from '@grafana/schema';
import * as ui from '@grafana/ui';
import * as react from 'react';
import * as jsxRuntime from 'react/jsx-runtime';
import * as reactDom from 'react-dom';
import * as rxjs from 'rxjs';

const brought: Record<string, unknown> = {
  react,
  'react-dom': reactDom,
  'react/jsx-runtime': jsxRuntime,
  rxjs,
  '@emotion/css': emotion,
  '@grafana/data': data,
  '@grafana/runtime': runtime,
  '@grafana/schema': schema,
  '@grafana/ui': ui,
};

type Factory = (...parts: unknown[]) => unknown;

/** Loads `/public/plugins/<path>` and resolves to what it exports. */
export async function loadModule(path: string): Promise<Record<string, unknown>> {
  const text = await (await fetch(`/public/plugins/${path}`)).text();
  let exported: unknown;
  const define = (...given: unknown[]) => {
    const factory = given.pop() as Factory;
    const names = (given.pop() ?? []) as string[];
    const exportsObject = {};
    const parts = names.map((name) => {
      if (name === 'exports') return exportsObject;
      if (name === 'module') return { uri: new URL(`/public/plugins/${path}`, location.href).href };
      if (!(name in brought)) throw new Error(`${path} asks for ${name}, which Grafana does not bring along`);
      return brought[name];
    });
    exported = factory(...parts) ?? exportsObject;
  };
  // What a script tag would do, with our own `define` and nothing global.
  const run = new Function('define', `${text}\n//# sourceURL=${path}`) as (define: unknown) => void;
  run(Object.assign(define, { amd: {} }));
  return exported as Record<string, unknown>;
}
