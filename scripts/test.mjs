// Runs the tests and says in one line how they went, whatever runner they belong to.
//   node scripts/test.mjs [vitest|host] [--soak] [arguments for that runner]
// Both suites run even if the first fails. --soak runs the long tests with their full counts (FIELDGATE_SOAK=1).
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules/.bin');
const args = process.argv.slice(2);
const soak = args.includes('--soak');
// Each process and each store's workers strip types of dozens of files; once is enough.
const cache = join(tmpdir(), 'fieldgate-compile-cache');
const env = {
  NODE_COMPILE_CACHE: cache,
  ...process.env,
  PATH: [bin, process.env.PATH, '/usr/sbin'].join(delimiter),
  ...(soak ? { FIELDGATE_SOAK: '1' } : {}),
};
const rest = args.filter((arg) => arg !== '--soak');
const only = rest[0] === 'vitest' || rest[0] === 'host' ? rest.shift() : undefined;

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal));
  });
}

/** Counts of vitest's own JSON report, which holds every test once. */
async function vitest() {
  const folder = mkdtempSync(join(tmpdir(), 'fieldgate-test-'));
  const report = join(folder, 'report.json');
  try {
    const options = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await ended(
      spawn(join(bin, 'vitest'), [...options, ...rest], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }),
    );
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    // A file that does not even load has no test in it, yet it failed.
    const brokenFiles = testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    ).length;
    return { code, passed: numPassedTests, failed: numFailedTests + brokenFiles, skipped: numPendingTests + numTodoTests };
  } catch (error) {
    process.stderr.write(`vitest left no report: ${error.message}\n`);
    return { code: 1, passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Counts leaves: a Go test with subtests is the sum of them, unless it failed by itself. */
async function host() {
  const options = ['test', '-json', '-count=1', `-timeout=${soak ? '60m' : '10m'}`, ...(rest.length ? rest : ['./...'])];
  // As test/temporary.ts does for vitest.
  const folder = mkdtempSync(join(tmpdir(), 'fg-'));
  const child = spawn('go', options, {
    cwd: join(root, 'test/host'),
    env: { ...env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const results = new Map();
  const said = new Map();
  let broken = 0;
  const print = (text) => process.stdout.write(text);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = line.startsWith('{') ? JSON.parse(line) : { Action: 'build-output', Output: `${line}\n` };
    const name = `${event.Package} ${event.Test ?? ''}`;
    if (event.Action === 'build-output') print(event.Output);
    if (event.Action === 'output') said.set(name, (said.get(name) ?? '') + event.Output);
    if (!['pass', 'fail', 'skip'].includes(event.Action)) return;
    if (event.Test) results.set(name, event.Action);
    const seconds = event.Elapsed === undefined ? '' : ` (${event.Elapsed.toFixed(2)} s)`;
    if (event.Action === 'fail') print(`${said.get(name) ?? ''}`);
    if (event.Test) print(`${event.Action.padEnd(5)}${event.Test}${seconds}\n`);
    // A package can fail without a failed test: it did not compile, or it ended early.
    else if (event.Action === 'fail' && ![...results].some(([test, result]) => test.startsWith(name) && result === 'fail')) broken++;
    said.delete(name);
  });
  const code = await ended(child).finally(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const names = [...results.keys()];
  const leaf = (name) => !names.some((other) => other.startsWith(`${name}/`));
  const parentAlone = (name) => !names.some((other) => other.startsWith(`${name}/`) && results.get(other) === 'fail');
  const count = (wanted, counts) => names.filter((name) => results.get(name) === wanted && counts(name)).length;
  return { code, passed: count('pass', leaf), failed: count('fail', parentAlone) + broken, skipped: count('skip', leaf) };
}

const totals = { passed: 0, failed: 0, skipped: 0 };
let bad = false;
for (const [name, suite] of Object.entries({ vitest, host })) {
  if (only !== undefined && only !== name) continue;
  const { code, passed, failed, skipped } = await suite();
  // A runner that is unhappy without a failed test (an unhandled rejection, a leaked process) has failed too.
  totals.failed += code !== 0 && failed === 0 ? 1 : failed;
  totals.passed += passed;
  totals.skipped += skipped;
  bad ||= code !== 0 || failed > 0 || passed === 0;
}
const skippedToo = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
process.stdout.write(`\nfieldgate: ${totals.passed} passed, ${totals.failed} failed${skippedToo}\n`);
process.exitCode = bad ? 1 : 0;
